// Package local starts a local Azure for the tests, by `vaultlet dev`.
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
)

// What the tests look for in all that they see.
const (
	// Value is that of the secret db-password.
	Value = "correct horse battery staple"
	// Vault is the only one.
	Vault = "my-key-vault"
	// Reference is that of the secret.
	Reference = "akv://my-key-vault/db-password"
)

// An Azure runs until Stop.
type Azure struct {
	// Env finds it: the variables of a job in it.
	Env map[string]string
	// Control is a URL for tests, see vaultlet's README.
	Control string

	command *exec.Cmd
}

// Start starts one with these arguments of `vaultlet dev` besides.
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

// Test starts one for a test.
func Test(t testing.TB, arguments ...string) *Azure {
	t.Helper()
	a, err := Start(arguments...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Stop)
	return a
}

// Stop ends it.
func (a *Azure) Stop() {
	_ = a.command.Process.Signal(os.Interrupt)
	_ = a.command.Wait()
}

// Program is the command line: VAULTLET_PROGRAM, else what cargo built.
func Program() (string, error) { return built("VAULTLET_PROGRAM", "vaultlet") }

// Library has the native library found by Open: VAULTLET_LIBRARY, else what cargo built.
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
	return "", errors.New(name + " is not there: `cargo build --workspace`, or name it by " + variable)
}

// ShowsNone fails the test where a text shows the value or a token.
func ShowsNone(t testing.TB, what, text string) {
	t.Helper()
	for _, secret := range []string{Value, "eyJ"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows a secret", what)
		}
	}
}
