package vaultlet

import (
	"context"
	"runtime"
	"unicode/utf8"
	"unsafe"
)

// An EnvironmentRequest says what [Vaultlet.ResolveEnvironment] resolves. The zero value is every reference in
// the environment.
type EnvironmentRequest struct {
	// Variables are used instead of those of the process, or of those that the handle was opened with
	// ([WithVariables]), unless nil.
	Variables map[string]string
	// Only has the names of the variables to resolve, each of which must be there; nil means all.
	Only []string
}

// ResolveEnvironment gets the secrets that environment variables refer to, by the names of the variables: all of
// them, or none. The environment is not changed.
//
// A variable is resolved when its whole value is a reference. One that ends in "?optional" is left out when there
// is no such secret; "?default=TEXT" gives a text in its place. If a variable fails, the error is about the first
// one, and [Error.Variables] has all.
func (v *Vaultlet) ResolveEnvironment(
	ctx context.Context, what EnvironmentRequest, options ...CallOption,
) (map[string]*Secret, error) {
	defer runtime.KeepAlive(v)
	o, l := v.outgoing(ctx, "resolving the environment", options), v.handle.library
	native := o.environmentRequest(what)
	result, err := o.run(func(handle, options, out uintptr) uintptr {
		return call(l.resolveEnvironment, handle, uintptr(unsafe.Pointer(native)), options, out)
	})
	if err != nil {
		return nil, err
	}
	environment := pointer[nativeEnvironment](result)
	list := environment.secrets
	all := newNativeObject(l.environmentFree, result, int64(list.len))
	secrets := make(map[string]*Secret, list.len)
	names := slice[uintptr](environment.names, list.len)
	for i, secret := range slice[uintptr](list.items, list.len) {
		secrets[text(names[i])] = l.secret(all, secret)
	}
	if list.len == 0 {
		call(l.environmentFree, result)
	}
	return secrets, nil
}

func (o *outgoing) environmentRequest(what EnvironmentRequest) *nativeEnvironmentRequest {
	variables := what.Variables
	if variables == nil {
		variables = o.handle.variables
	}
	if variables == nil {
		// As Go sees them: os.Setenv does not change what the native library would see.
		variables = environment()
		for name, value := range variables {
			if !utf8.ValidString(name) || !utf8.ValidString(value) {
				delete(variables, name) // no reference
			}
		}
	}
	// One more than needed, so that there is a first element to take the address of.
	all := make([]nativeVariable, 0, len(variables)+1)
	for name, value := range variables {
		all = append(all, nativeVariable{o.required(o.doing, name), o.required(o.doing, value)})
	}
	native := &nativeEnvironmentRequest{variables: unsafe.SliceData(all), variablesLen: uintptr(len(all))}
	native.size = unsafe.Sizeof(*native)
	o.pinner.Pin(native.variables)
	if what.Only != nil {
		only := make([]*byte, len(what.Only)+1)
		for i, name := range what.Only {
			only[i] = o.required(o.doing, name)
		}
		native.only, native.onlyLen = &only[0], uintptr(len(what.Only))
		o.pinner.Pin(native.only)
	}
	o.pinner.Pin(native)
	return native
}
