package vaultlet_test

import (
	"testing"

	"vaultlet.dev/go"
	"vaultlet.dev/go/internal/local"
)

// BenchmarkGet measures a call with one request to the vault.
func BenchmarkGet(b *testing.B) {
	v := local.Open(b)
	get(b, v).Close()
	for b.Loop() {
		get(b, v).Close()
	}
}

// BenchmarkCachedToken measures a call without a request.
func BenchmarkCachedToken(b *testing.B) {
	v := local.Open(b)
	for b.Loop() {
		token, err := v.Token(b.Context(), vaultlet.TokenRequest{})
		if err != nil {
			b.Fatal(err)
		}
		token.Close()
	}
}

// BenchmarkOpen measures opening and closing a handle.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		v, err := vaultlet.Open()
		if err != nil {
			b.Fatal(err)
		}
		v.Close()
	}
}
