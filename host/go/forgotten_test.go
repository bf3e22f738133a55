package vaultlet

import (
	"runtime"
	"testing"
)

// The garbage collector closes what is no longer reachable.
func TestUnreachableObjectsAreClosed(t *testing.T) {
	forget := func() (*handle, *nativeValue, *nativeValue) {
		v, err := Open()
		if err != nil {
			t.Fatal(err)
		}
		secrets, err := v.GetMany(t.Context(), []string{"akv://my-key-vault/db-password"})
		if err != nil {
			t.Fatal(err)
		}
		token, err := v.Token(t.Context(), TokenRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return v.handle, secrets[0].value, token.value
	}
	handle, secret, token := forget()
	closed := func() bool {
		handle.mutex.Lock()
		secret.mutex.RLock()
		token.mutex.RLock()
		defer handle.mutex.Unlock()
		defer secret.mutex.RUnlock()
		defer token.mutex.RUnlock()
		return handle.closed && secret.closed && token.closed
	}
	for !closed() {
		runtime.GC()
		runtime.Gosched()
	}
	if secret.owner.values.Load() != 0 {
		t.Error("the value was not freed")
	}
}
