package vaultlet

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A Secret is one version of one secret, or one member of a JSON secret. It prints by %v and logs as its
// reference, and serialising it fails. Only [Secret.Reveal] and [Secret.RevealBytes] give the value.
type Secret struct {
	sealed
	properties Properties
}

// Properties returns the properties of the secret. They remain after Close.
func (s *Secret) Properties() Properties { return s.properties }

// A Token is an access token, which goes after "Bearer". Like a [Secret] it does not show its value.
type Token struct {
	sealed
	identity Identity
}

// Identity returns the identity that the token belongs to. It remains after Close.
func (t *Token) Identity() Identity { return t.identity }

// A sealed is what a secret and a token have in common: a value in native memory that is not shown.
type sealed struct {
	shown string
	value *nativeValue
}

// A nativeValue is a value in native memory. Its addresses are numbers, which reflection does not follow.
type nativeValue struct {
	mutex           sync.RWMutex
	owner           *nativeObject
	address, length uintptr
	closed          bool
}

// A nativeObject is an object of the library that holds values; it is freed when the last of them is closed.
type nativeObject struct {
	free, object uintptr
	values       atomic.Int64
}

// Reveal returns the value as a string. The string is a copy that only the garbage collector removes;
// keep it out of logs. Reveal panics after Close.
func (s *sealed) Reveal() string {
	var value string
	s.read(func(native []byte) { value = string(native) })
	return value
}

// RevealBytes returns a copy of the value that you can [clear] after use. It panics after Close.
func (s *sealed) RevealBytes() []byte {
	var value []byte
	s.read(func(native []byte) { value = append(make([]byte, 0, len(native)), native...) })
	return value
}

func (s *sealed) read(use func([]byte)) {
	s.value.mutex.RLock()
	defer s.value.mutex.RUnlock()
	if s.value.closed {
		panic("vaultlet: " + s.shown + " is revealed after Close")
	}
	use(slice[byte](s.value.address, s.value.length))
	runtime.KeepAlive(s)
}

// Close scrubs the value. The values of one GetMany are scrubbed when the last of its secrets is
// closed. Close may be called again, and always returns nil. A value that is not closed is scrubbed
// after a garbage collection.
func (s *sealed) Close() error {
	s.value.close()
	return nil
}

func (h *nativeValue) close() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	if h.owner.values.Add(-1) == 0 {
		call(h.owner.free, h.owner.object)
	}
}

var errSealed = errors.New("vaultlet: a secret or token is not serialised; use Reveal where its value is needed")

// String returns the reference of a secret, or the resource of a token; never the value.
func (s *sealed) String() string { return s.shown }

// GoString returns what String returns.
func (s *sealed) GoString() string { return s.shown }

// Format prints what String returns for %v. For other verbs the value is meant, as in "password=%s", and nobody may take what
// is printed for it: like fmt's own errors it begins with "%!".
func (s *sealed) Format(state fmt.State, verb rune) {
	if verb == 'v' {
		_, _ = io.WriteString(state, s.shown)
		return
	}
	_, _ = io.WriteString(state, "%!"+string(verb)+"("+s.shown+" is no text: use Reveal)")
}

// LogValue returns what String returns.
func (s *sealed) LogValue() slog.Value { return slog.StringValue(s.shown) }

// MarshalJSON always fails.
func (s *sealed) MarshalJSON() ([]byte, error) { return nil, errSealed }

// MarshalText always fails, and so do XML, YAML and other text formats.
func (s *sealed) MarshalText() ([]byte, error) { return nil, errSealed }

// MarshalBinary always fails.
func (s *sealed) MarshalBinary() ([]byte, error) { return nil, errSealed }

// GobEncode always fails.
func (s *sealed) GobEncode() ([]byte, error) { return nil, errSealed }

// secret wraps one of the native secrets that an owner holds.
func (l *library) secret(owner *nativeObject, object uintptr) *Secret {
	s := &Secret{properties: pointer[nativeProperties](call(l.secretProperties, object)).read()}
	p := &s.properties
	s.shown = "Secret(akv://" + p.Vault + "/" + p.Name
	if p.Version != "" {
		s.shown += "/" + p.Version
	}
	s.shown += ")"
	s.value = newNativeValue(owner, l.secretReveal, object)
	runtime.AddCleanup(s, (*nativeValue).close, s.value)
	return s
}

func (l *library) token(object uintptr) *Token {
	t := &Token{identity: pointer[nativeIdentity](call(l.tokenIdentity, object)).read()}
	t.shown = "Token(" + t.identity.Resource + ")"
	t.value = newNativeValue(newNativeObject(l.tokenFree, object, 1), l.tokenReveal, object)
	runtime.AddCleanup(t, (*nativeValue).close, t.value)
	return t
}

func newNativeObject(free, object uintptr, values int64) *nativeObject {
	o := &nativeObject{free: free, object: object}
	o.values.Store(values)
	return o
}

func newNativeValue(owner *nativeObject, reveal, object uintptr) *nativeValue {
	h := &nativeValue{owner: owner}
	// The field is on the heap, so that it is not moved while it is written.
	h.address = call(reveal, object, uintptr(unsafe.Pointer(&h.length)))
	return h
}
