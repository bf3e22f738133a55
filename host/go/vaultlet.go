package vaultlet

import (
	"context"
	"encoding/json"
	"runtime"
	"unicode/utf8"
	"unsafe"
)

// A Vaultlet is a handle, which gets secrets and tokens. Any number of goroutines may use it at once. It
// has one token cache and one connection pool.
type Vaultlet struct{ handle *handle }

// Open opens a handle: it reads the settings, the environment and the certificates, without using the
// network. The first call loads the native library. An error is of kind [ErrConfiguration] and names the
// setting.
func Open(options ...Option) (*Vaultlet, error) {
	var given handleSettings
	for _, option := range options {
		option.open(&given)
	}
	own := given.variables
	if given.variables == nil {
		given.variables = environment()
	}
	library, err := load(given.library)
	if err != nil {
		return nil, err
	}
	native := call(library.optionsNew)
	defer call(library.optionsFree, native)
	if err := library.set(native, &given); err != nil {
		return nil, err
	}
	var out uintptr
	if failure := call(library.open, abi, native, uintptr(unsafe.Pointer(&out))); failure != 0 {
		return nil, library.takeError(failure)
	}
	v := &Vaultlet{&handle{library: library, limit: given.limit(), variables: own, native: out}}
	runtime.AddCleanup(v, (*handle).close, v.handle)
	return v, nil
}

func (l *library) set(native uintptr, given *handleSettings) error {
	const doing = "opening a handle"
	var texts texts
	defer texts.pinner.Unpin()
	set := func(function uintptr, name, value string) error {
		n, v := texts.required(doing, name), texts.required(doing, value)
		if texts.failed != nil {
			return texts.failed
		}
		failure := call(function, native, uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(v)))
		if failure != 0 {
			return l.takeError(failure)
		}
		return nil
	}
	// An empty variable counts as unset. Setting one makes the library ignore the process environment.
	if err := set(l.optionsVariable, "VAULTLET_IDENTITY", ""); err != nil {
		return err
	}
	for name, value := range given.variables {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			continue // no variable that vaultlet reads
		}
		if err := set(l.optionsVariable, name, value); err != nil {
			return err
		}
	}
	for _, option := range given.given {
		if err := set(l.optionsSet, option[0], option[1]); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the handle; calls that are running continue. Close may be called again, and always returns
// nil. A handle that is no longer reachable is closed after a garbage collection.
func (v *Vaultlet) Close() error {
	v.handle.close()
	return nil
}

// Get gets a secret by a reference, such as "akv://my-key-vault/db-password" or another form in
// vaultlet's documentation. The first secret of a vault takes two requests, each further one takes one.
func (v *Vaultlet) Get(ctx context.Context, reference string, options ...CallOption) (*Secret, error) {
	defer runtime.KeepAlive(v)
	const doing = "getting a secret"
	o, l := v.outgoing(ctx, doing, options), v.handle.library
	name := o.required(doing, reference)
	result, err := o.run(func(handle, options, out uintptr) uintptr {
		return call(l.get, handle, uintptr(unsafe.Pointer(name)), options, out)
	})
	if err != nil {
		return nil, err
	}
	return l.secret(newNativeObject(l.secretFree, result, 1), result), nil
}

// GetMany gets several secrets at once, in the order of their references. If one of them cannot be got,
// it returns the error of that one.
func (v *Vaultlet) GetMany(ctx context.Context, references []string, options ...CallOption) ([]*Secret, error) {
	defer runtime.KeepAlive(v)
	const doing = "getting secrets"
	o, l := v.outgoing(ctx, doing, options), v.handle.library
	// One more than needed, so that there is a first element to take the address of.
	names := make([]*byte, len(references)+1)
	for i, reference := range references {
		names[i] = o.required(doing, reference)
	}
	o.pinner.Pin(&names[0])
	result, err := o.run(func(handle, options, out uintptr) uintptr {
		first, length := uintptr(unsafe.Pointer(&names[0])), uintptr(len(references))
		return call(l.getMany, handle, first, length, options, out)
	})
	if err != nil {
		return nil, err
	}
	list := pointer[nativeList](result)
	all := newNativeObject(l.secretsFree, result, int64(list.len))
	secrets := make([]*Secret, 0, list.len)
	for _, secret := range slice[uintptr](list.items, list.len) {
		secrets = append(secrets, l.secret(all, secret))
	}
	if len(secrets) == 0 {
		call(l.secretsFree, result)
	}
	return secrets, nil
}

// List returns the properties of each secret of a vault, in its newest version. The vault is a name, a
// full host name or "akv://<vault>". The identity needs the permission to list secrets.
func (v *Vaultlet) List(ctx context.Context, vault string, options ...CallOption) ([]Properties, error) {
	return v.listing(ctx, "listing secrets", v.handle.library.list, vault, options)
}

// Versions returns the properties of all versions of a secret, newest first.
func (v *Vaultlet) Versions(ctx context.Context, reference string, options ...CallOption) ([]Properties, error) {
	return v.listing(ctx, "listing versions", v.handle.library.versions, reference, options)
}

func (v *Vaultlet) listing(
	ctx context.Context, doing string, function uintptr, subject string, options []CallOption,
) ([]Properties, error) {
	defer runtime.KeepAlive(v)
	o, l := v.outgoing(ctx, doing, options), v.handle.library
	name := o.required(doing, subject)
	result, err := o.run(func(handle, options, out uintptr) uintptr {
		return call(function, handle, uintptr(unsafe.Pointer(name)), options, out)
	})
	if err != nil {
		return nil, err
	}
	defer call(l.listingFree, result)
	list := pointer[nativeList](result)
	properties := make([]Properties, 0, list.len)
	natives := slice[nativeProperties](list.items, list.len)
	for i := range natives {
		properties = append(properties, natives[i].read())
	}
	return properties, nil
}

// Token gets an access token, from the token cache or by one request.
func (v *Vaultlet) Token(ctx context.Context, what TokenRequest, options ...CallOption) (*Token, error) {
	defer runtime.KeepAlive(v)
	const doing = "getting a token"
	o, l := v.outgoing(ctx, doing, options), v.handle.library
	native := o.tokenRequest(what)
	result, err := o.run(func(handle, options, out uintptr) uintptr {
		return call(l.getToken, handle, uintptr(unsafe.Pointer(native)), options, out)
	})
	if err != nil {
		return nil, err
	}
	return l.token(result), nil
}

// Whoami returns the identity that this machine's token belongs to, to which roles are granted. It gets a
// token, unless the cache has one, and reads what the token says.
func (v *Vaultlet) Whoami(ctx context.Context, options ...CallOption) (*Identity, error) {
	token, err := v.Token(ctx, TokenRequest{}, options...)
	if err != nil {
		return nil, err
	}
	defer token.Close()
	identity := token.Identity()
	return &identity, nil
}

// Plan returns what the credentials may read or use, and which servers they may connect to, without using
// the network. The plan has the vault of the reference, unless that is empty.
func (v *Vaultlet) Plan(ctx context.Context, reference string, options ...CallOption) (*Plan, error) {
	defer runtime.KeepAlive(v)
	const doing = "making a plan"
	o, l := v.outgoing(ctx, doing, options), v.handle.library
	name := o.optional(doing, reference)
	result, err := o.run(func(handle, options, out uintptr) uintptr {
		return call(l.plan, handle, uintptr(unsafe.Pointer(name)), options, out)
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
		resource: o.optional(o.doing, what.Resource),
		tenant:   o.optional(o.doing, what.Tenant),
		claims:   o.optional(o.doing, what.Claims),
	}
	native.size = unsafe.Sizeof(*native)
	o.pinner.Pin(native)
	return native
}

// Version returns the version of the native library, such as "0.1.0".
func (v *Vaultlet) Version() string { return text(call(v.handle.library.version)) }
