// Package bundled contains the native library in released modules. It is empty in the repository: pack
// adds the library and a Go file for each platform.
package bundled

var library string

// Library returns the bytes of the library for this platform; empty if there is none.
func Library() string { return library }
