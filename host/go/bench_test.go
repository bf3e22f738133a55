package vaultlet_test

import (
	"testing"

	"vaultlet.dev/go"
)

// One request to the vault.
func BenchmarkGet(b *testing.B) {
	v := open(b)
	get(b, v).Close()
	for b.Loop() {
		get(b, v).Close()
	}
}

// No request: what it costs to ask.
func BenchmarkTokenOfTheCache(b *testing.B) {
	v := open(b)
	for b.Loop() {
		token, err := v.Token(b.Context(), vaultlet.TokenRequest{})
		if err != nil {
			b.Fatal(err)
		}
		token.Close()
	}
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		v, err := vaultlet.Open()
		if err != nil {
			b.Fatal(err)
		}
		v.Close()
	}
}
