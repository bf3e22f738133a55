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
// One handle serves any number of goroutines; it keeps connections and tokens. A call ends with its
// context, and fails with an [*Error], whose [Kind] works with [errors.Is]:
//
//	if errors.Is(err, vaultlet.ErrNotFound) { … }
//
// A value is in native memory behind a [Secret], which prints, logs and serialises as its reference
// or not at all, and which is scrubbed by Close, or when it is forgotten.
//
// # The native library
//
// The work is done by libvaultlet, loaded without cgo when the first handle is opened. It is looked
// for, in this order: where [WithLibrary] says; where the variable VAULTLET_LIBRARY says; inside the
// program, where a released module has it (the build tag vaultlet_nobundle leaves it out, and the
// program 12 MB smaller); beside the program's file, unless everybody may write there; where the
// system looks for libraries.
//
// Linux with glibc. [TokenRequest] is for programs that call Azure themselves; the module
// vaultlet.dev/go/azure makes it a credential for the Azure SDK.
package vaultlet
