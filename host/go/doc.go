// Package vaultlet gets Azure Key Vault secrets for a training job, in milliseconds and without the
// Azure SDK.
//
//	v, err := vaultlet.Open()
//	if err != nil {
//		return err
//	}
//	defer v.Close()
//	password, err := v.Get(ctx, "akv://my-key-vault/db-password")
//	if err != nil {
//		return err
//	}
//	defer password.Close()
//	connect("db.internal", password.Reveal())
//
// One handle serves any number of goroutines; it has a connection pool and a token cache. A call ends
// with its context. A call that fails returns an [*Error], whose [Kind] works with [errors.Is]:
//
//	if errors.Is(err, vaultlet.ErrNotFound) { … }
//
// The value of a secret is in native memory behind a [Secret], which prints and logs as its reference
// and refuses to be serialised. Close scrubs the value; so does the garbage collector when a secret
// is no longer reachable.
//
// # The native library
//
// The package calls libvaultlet, which is loaded without cgo when the first handle is opened. It is
// looked for in this order:
//
//   - at the path given by [WithLibrary];
//   - at the path in the environment variable VAULTLET_LIBRARY;
//   - inside the program, if the module is a released one (the build tag vaultlet_nobundle leaves it
//     out, which makes the program 12 MB smaller);
//   - in the folder of the program, unless everybody may write to that folder;
//   - where the system looks for libraries.
//
// Linux with glibc is supported. [Vaultlet.Token] is for programs that call Azure services themselves;
// the module vaultlet.dev/go/azure makes a handle a credential for the Azure SDK.
package vaultlet
