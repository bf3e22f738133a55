// Package bundled is the native library inside the module. Here it has none: the release puts it and
// a file for each platform into the module that it packs, see pack.
package bundled

var library string

// Library is the library of this platform; empty where there is none.
func Library() string { return library }
