module vaultlet.dev/go

go 1.25.0

// Calls a C library without cgo.
require github.com/ebitengine/purego v0.11.3
