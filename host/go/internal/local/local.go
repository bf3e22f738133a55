// Package local runs tests in a local Azure, which `vaultlet dev` provides.
package local

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vaultlet.dev/go"
)

const (
	// Value is the value of the secret db-password, which must not be shown anywhere.
	Value = "correct horse battery staple"
	// Vault is the name of the only vault.
	Vault = "my-key-vault"
	// Reference is the reference of the secret db-password.
	Reference = "akv://my-key-vault/db-password"
)

// Job is the local Azure that the tests of a package share. No test changes it.
var Job *Azure

// Main is the body of TestMain: it runs the tests of a package as a job in a local Azure that is started
// with these arguments of `vaultlet dev`. The variables of the job become those of the process, for the
// examples and for the SDK.
func Main(m *testing.M, arguments ...string) {
	// A process that a test starts is in the job already.
	if os.Getenv("VAULTLET_TEST_CHILD") != "" {
		os.Exit(m.Run())
	}
	azure, err := Start(arguments...)
	if err == nil {
		err = Library()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	Job = azure
	for name, value := range Job.Env {
		os.Setenv(name, value)
	}
	code := m.Run()
	Job.Stop()
	os.Exit(code)
}

// Open opens a handle for a test.
func Open(t testing.TB, options ...vaultlet.Option) *vaultlet.Vaultlet {
	t.Helper()
	v, err := vaultlet.Open(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// Failed returns err as an error of this kind and id, and ends the test if it is not one.
func Failed(t testing.TB, err error, kind vaultlet.Kind, id string) *vaultlet.Error {
	t.Helper()
	var typed *vaultlet.Error
	if !errors.As(err, &typed) || !errors.Is(err, kind) || typed.ID != id {
		t.Fatalf("not %v (%s): %v", kind, id, err)
	}
	ShowsNone(t, "the error", err.Error())
	return typed
}

// An Azure is a local Azure, which runs until Stop.
type Azure struct {
	// Env are the variables of a job in it.
	Env map[string]string
	// Control is the URL by which tests control it; see the documentation of `vaultlet dev`.
	Control string

	command *exec.Cmd
}

// Start starts a local Azure with these further arguments of `vaultlet dev`.
func Start(arguments ...string) (*Azure, error) {
	program, err := Program()
	if err != nil {
		return nil, err
	}
	seed := "db-password=" + Value
	arguments = append([]string{"dev", "-o", "json", "--vault", Vault, "--seed", seed}, arguments...)
	a := &Azure{command: exec.Command(program, arguments...)}
	a.command.Stderr = os.Stderr
	out, err := a.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := a.command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, a)
	}
	if err != nil {
		a.Stop()
		return nil, fmt.Errorf("`vaultlet dev` is not ready: %w", err)
	}
	return a, nil
}

// Test starts a local Azure for a test.
func Test(t testing.TB, arguments ...string) *Azure {
	t.Helper()
	a, err := Start(arguments...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Stop)
	return a
}

// Variables makes a handle use this Azure instead of the one in the environment.
func (a *Azure) Variables() vaultlet.Option { return vaultlet.WithVariables(a.Env) }

// Stop stops the local Azure.
func (a *Azure) Stop() {
	_ = a.command.Process.Signal(os.Interrupt)
	_ = a.command.Wait()
}

// Program returns the path of the command line: VAULTLET_PROGRAM, else what cargo built.
func Program() (string, error) { return built("VAULTLET_PROGRAM", "vaultlet") }

// Library makes Open find the native library: VAULTLET_LIBRARY, else what cargo built.
func Library() error {
	library, err := built("VAULTLET_LIBRARY", "libvaultlet.so")
	if err != nil {
		return err
	}
	return os.Setenv("VAULTLET_LIBRARY", library)
}

func built(variable, name string) (string, error) {
	if path := os.Getenv(variable); path != "" {
		return path, nil
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		path := filepath.Join(folder, "target", "debug", name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", errors.New(name + " is missing: run `cargo build --workspace`, or set " + variable)
}

// ShowsNone fails the test if a text shows the value or a token.
func ShowsNone(t testing.TB, what, text string) {
	t.Helper()
	for _, secret := range []string{Value, "eyJ"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows a secret", what)
		}
	}
}
