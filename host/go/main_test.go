package vaultlet_test

import (
	"context"
	"testing"

	"vaultlet.dev/go"
	"vaultlet.dev/go/internal/local"
)

func TestMain(m *testing.M) { local.Main(m, "--seed", "hub-token=a second value") }

func get(t testing.TB, v *vaultlet.Vaultlet) *vaultlet.Secret {
	t.Helper()
	secret, err := v.Get(context.Background(), local.Reference)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}
