package vaultlet_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"vaultlet.dev/go"
	"vaultlet.dev/go/internal/local"
)

// The local Azure that all tests share, who do not change it.
var job *local.Azure

// The examples are in a job, as their readers are: its variables are this process's.
func TestMain(m *testing.M) {
	if os.Getenv("VAULTLET_TEST_CHILD") != "" {
		os.Exit(m.Run())
	}
	azure, err := local.Start("--seed", "hub-token=a second value")
	if err == nil {
		err = local.Library()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	job = azure
	for name, value := range job.Env {
		os.Setenv(name, value)
	}
	code := m.Run()
	azure.Stop()
	os.Exit(code)
}

func open(t testing.TB, options ...vaultlet.Option) *vaultlet.Vaultlet {
	t.Helper()
	v, err := vaultlet.Open(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func in(azure *local.Azure) vaultlet.Option { return vaultlet.WithVariables(azure.Env) }

func get(t testing.TB, v *vaultlet.Vaultlet) *vaultlet.Secret {
	t.Helper()
	secret, err := v.Get(context.Background(), local.Reference)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}
