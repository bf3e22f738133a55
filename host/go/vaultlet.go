package vaultlet

import (
	"context"
	"encoding/json"
	"runtime"
	"unicode/utf8"
	"unsafe"
)

// A Vaultlet gets secrets and tokens. It is for any number of goroutines at once, and keeps one
// cache of tokens and one pool of connections.
type Vaultlet struct{ handle *handle }

// Open loads the native library, when it is the first, and opens a handle: it reads settings,
// environment and certificates, and uses no network. An error is of kind [ErrConfiguration] and
// names the setting.
func Open(options ...Option) (*Vaultlet, error) {
	var with settings
	for _, option := range options {
		option.open(&with)
	}
	if with.variables == nil {
		with.variables = environment()
	}
	library, err := load(with.library)
	if err != nil {
		return nil, err
	}
	native := call(library.optionsNew)
	defer call(library.optionsFree, native)
	if err := library.set(native, &with); err != nil {
		return nil, err
	}
	var out uintptr
	if failure := call(library.open, abi, native, uintptr(unsafe.Pointer(&out))); failure != 0 {
		return nil, library.takeError(failure)
	}
	v := &Vaultlet{&handle{library: library, limit: with.limit(), native: out}}
	runtime.AddCleanup(v, (*handle).close, v.handle)
	return v, nil
}

func (l *library) set(native uintptr, with *settings) error {
	const doing = "opening a handle"
	var texts texts
	defer texts.pinner.Unpin()
	set := func(function uintptr, name, value string) error {
		n, v := texts.always(doing, name), texts.always(doing, value)
		if texts.failed != nil {
			return texts.failed
		}
		failure := call(function, native, uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(v)))
		if failure != 0 {
			return l.takeError(failure)
		}
		return nil
	}
	// One that is empty is one that is not set; with it the process's own are not read.
	if err := set(l.optionsVariable, "VAULTLET_IDENTITY", ""); err != nil {
		return err
	}
	for name, value := range with.variables {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			continue // none of those that mean something here
		}
		if err := set(l.optionsVariable, name, value); err != nil {
			return err
		}
	}
	for _, option := range with.given {
		if err := set(l.optionsSet, option[0], option[1]); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the handle; calls that run go on to their end. It may be called again, and always
// returns nil. A handle that is forgotten is closed after a garbage collection.
func (v *Vaultlet) Close() error {
	v.handle.close()
	return nil
}

// Get gets a secret, by one of the forms of reference in vaultlet's README, such as
// "akv://my-key-vault/db-password". The first of a vault takes two requests, each further one takes
// one.
func (v *Vaultlet) Get(ctx context.Context, reference string, options ...CallOption) (*Secret, error) {
	defer runtime.KeepAlive(v)
	const doing = "getting a secret"
	o, l := v.outgoing(ctx, doing, options), v.handle.library
	name := o.always(doing, reference)
	result, err := o.run(func(handle, started, out uintptr) uintptr {
		return call(l.get, handle, uintptr(unsafe.Pointer(name)), started, out)
	})
	if err != nil {
		return nil, err
	}
	return l.secret(own(l.secretFree, result, 1), result), nil
}

// GetMany gets several secrets at once, in the order of their references: all, or the first error.
func (v *Vaultlet) GetMany(ctx context.Context, references []string, options ...CallOption) ([]*Secret, error) {
	defer runtime.KeepAlive(v)
	const doing = "getting secrets"
	o, l := v.outgoing(ctx, doing, options), v.handle.library
	// One more, so that there is a first.
	names := make([]*byte, len(references)+1)
	for i, reference := range references {
		names[i] = o.always(doing, reference)
	}
	o.pinner.Pin(&names[0])
	result, err := o.run(func(handle, started, out uintptr) uintptr {
		first, length := uintptr(unsafe.Pointer(&names[0])), uintptr(len(references))
		return call(l.getMany, handle, first, length, started, out)
	})
	if err != nil {
		return nil, err
	}
	list := at[nativeList](result)
	all := own(l.secretsFree, result, int64(list.len))
	secrets := make([]*Secret, 0, list.len)
	for _, secret := range slice[uintptr](list.items, list.len) {
		secrets = append(secrets, l.secret(all, secret))
	}
	if len(secrets) == 0 {
		call(l.secretsFree, result)
	}
	return secrets, nil
}

// List is the newest version of each secret of a vault, without the values. The vault is a name, a
// full host or "akv://V". The identity needs the right to list.
func (v *Vaultlet) List(ctx context.Context, vault string, options ...CallOption) ([]Properties, error) {
	return v.listing(ctx, "listing secrets", v.handle.library.list, vault, options)
}

// Versions are all versions of a secret, without the values.
func (v *Vaultlet) Versions(ctx context.Context, reference string, options ...CallOption) ([]Properties, error) {
	return v.listing(ctx, "listing versions", v.handle.library.versions, reference, options)
}

func (v *Vaultlet) listing(
	ctx context.Context, doing string, function uintptr, of string, options []CallOption,
) ([]Properties, error) {
	defer runtime.KeepAlive(v)
	o, l := v.outgoing(ctx, doing, options), v.handle.library
	name := o.always(doing, of)
	result, err := o.run(func(handle, started, out uintptr) uintptr {
		return call(function, handle, uintptr(unsafe.Pointer(name)), started, out)
	})
	if err != nil {
		return nil, err
	}
	defer call(l.listingFree, result)
	list := at[nativeList](result)
	properties := make([]Properties, 0, list.len)
	natives := slice[nativeProperties](list.items, list.len)
	for i := range natives {
		properties = append(properties, natives[i].read())
	}
	return properties, nil
}

// Token gets an access token, by one request unless the cache has it.
func (v *Vaultlet) Token(ctx context.Context, what TokenRequest, options ...CallOption) (*Token, error) {
	defer runtime.KeepAlive(v)
	const doing = "getting a token"
	o, l := v.outgoing(ctx, doing, options), v.handle.library
	native := o.tokenRequest(what)
	result, err := o.run(func(handle, started, out uintptr) uintptr {
		return call(l.getToken, handle, uintptr(unsafe.Pointer(native)), started, out)
	})
	if err != nil {
		return nil, err
	}
	return l.token(result), nil
}

// Whoami is the identity that is found here: the one to grant a role to. It gets a token, unless the
// cache has it, and tells what that says.
func (v *Vaultlet) Whoami(ctx context.Context, options ...CallOption) (*Identity, error) {
	token, err := v.Token(ctx, TokenRequest{}, options...)
	if err != nil {
		return nil, err
	}
	defer token.Close()
	identity := token.Identity()
	return &identity, nil
}

// Plan is what the credentials would read and whom they would talk to, and the vault of a reference
// unless that is empty. It uses no network.
func (v *Vaultlet) Plan(ctx context.Context, reference string, options ...CallOption) (*Plan, error) {
	defer runtime.KeepAlive(v)
	const doing = "making a plan"
	o, l := v.outgoing(ctx, doing, options), v.handle.library
	name := o.of(doing, reference)
	result, err := o.run(func(handle, started, out uintptr) uintptr {
		return call(l.plan, handle, uintptr(unsafe.Pointer(name)), started, out)
	})
	if err != nil {
		return nil, err
	}
	defer call(l.textFree, result)
	plan := new(Plan)
	if err := json.Unmarshal([]byte(text(result)), plan); err != nil {
		return nil, &Error{Kind: ErrInternal, ID: "internal", Message: doing + ": " + err.Error()}
	}
	return plan, nil
}

func (o *outgoing) tokenRequest(what TokenRequest) *nativeTokenRequest {
	native := &nativeTokenRequest{
		resource: o.of(o.doing, what.Resource),
		tenant:   o.of(o.doing, what.Tenant),
		claims:   o.of(o.doing, what.Claims),
	}
	native.size = unsafe.Sizeof(*native)
	o.pinner.Pin(native)
	return native
}

// Version is that of the native library, such as "0.1.0".
func (v *Vaultlet) Version() string { return text(call(v.handle.library.version)) }
