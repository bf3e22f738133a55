package vaultlet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vaultlet.dev/go"
	"vaultlet.dev/go/internal/local"
)

func is(t testing.TB, err error, kind vaultlet.Kind, id string) *vaultlet.Error {
	t.Helper()
	var typed *vaultlet.Error
	if !errors.As(err, &typed) || !errors.Is(err, kind) || typed.ID != id {
		t.Fatalf("not %v (%s): %v", kind, id, err)
	}
	local.ShowsNone(t, "the error", err.Error())
	return typed
}

// The error of the command line, as JSON and as the line that a person sees.
func commandLine(t *testing.T, azure *local.Azure, reference string) (said vaultlet.Error, line string) {
	program, err := local.Program()
	if err != nil {
		t.Fatal(err)
	}
	run := func(arguments ...string) []byte {
		command := exec.Command(program, append([]string{"get", reference}, arguments...)...)
		for name, value := range azure.Env {
			command.Env = append(command.Env, name+"="+value)
		}
		var stderr bytes.Buffer
		command.Stderr = &stderr
		if command.Run() == nil {
			t.Fatal("the command line has no error")
		}
		return bytes.TrimSpace(stderr.Bytes())
	}
	var object struct {
		Error struct {
			ID, Kind, Message, Help, Code string
			Status                        int
			Attempts                      []vaultlet.Attempt
		}
	}
	if err := json.Unmarshal(run("-o", "json"), &object); err != nil {
		t.Fatal(err)
	}
	e := object.Error
	said = vaultlet.Error{ID: e.ID, Message: e.Message, Help: e.Help, Code: e.Code, Status: e.Status, Attempts: e.Attempts}
	for kind := vaultlet.ErrUsage; kind <= vaultlet.ErrUnauthenticated; kind++ {
		if kind.String() == e.Kind {
			said.Kind = kind
		}
	}
	return said, strings.TrimPrefix(string(run()), "vaultlet: ")
}

func TestErrorsAreThoseOfTheCommandLine(t *testing.T) {
	denied := local.Test(t, "--grant", "managed:none")
	fine := local.Test(t)
	nobody := &local.Azure{Env: map[string]string{"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}}
	for _, the := range []struct {
		azure     *local.Azure
		reference string
		kind      vaultlet.Kind
		id        string
	}{
		{denied, local.Reference, vaultlet.ErrDenied, "vault-forbidden"},
		{fine, "akv://my-key-vault/another", vaultlet.ErrNotFound, "secret-not-found"},
		{fine, "akv://my-key-vault", vaultlet.ErrInvalidArgument, "reference-malformed"},
		{fine, local.Reference + "?json=/user", vaultlet.ErrInvalidArgument, "secret-not-json"},
		{nobody, local.Reference, vaultlet.ErrNotConfigured, "no-identity"},
	} {
		_, err := open(t, in(the.azure)).Get(t.Context(), the.reference)
		e := is(t, err, the.kind, the.id)
		said, line := commandLine(t, the.azure, the.reference)
		if e.Kind != said.Kind || e.ID != said.ID || e.Message != said.Message || e.Help != said.Help ||
			e.Code != said.Code || e.Status != said.Status || !slices.Equal(e.Attempts, said.Attempts) {
			t.Errorf("%#v is not %#v", e, said)
		}
		if err.Error() != line {
			t.Errorf("%q is not %q", err, line)
		}
		if the.azure == denied && (e.Status != 403 || e.Code != "ForbiddenByRbac" || e.RequestID == "") {
			t.Errorf("%#v", e)
		}
		if the.azure == nobody && len(e.Attempts) == 0 {
			t.Error("no attempts")
		}
	}
}

func TestKindsHaveTheirNames(t *testing.T) {
	for kind, name := range map[vaultlet.Kind]string{
		vaultlet.ErrUsage: "usage", vaultlet.ErrUnauthenticated: "unauthenticated",
		0: "internal", 99: "internal",
	} {
		if kind.Error() != name {
			t.Errorf("%d is %q", kind, kind.Error())
		}
	}
	if errors.Is(&vaultlet.Error{Kind: vaultlet.ErrDenied}, vaultlet.ErrNotFound) {
		t.Error("one kind is another")
	}
}

func TestAClosedHandleMakesNoCalls(t *testing.T) {
	v := open(t)
	v.Close()
	v.Close()
	_, err := v.Get(t.Context(), local.Reference)
	is(t, err, vaultlet.ErrUsage, "usage")
	if !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	_, err = v.Whoami(t.Context())
	is(t, err, vaultlet.ErrUsage, "usage")
}

func TestATextThatCHasNotIsRefused(t *testing.T) {
	v := open(t)
	_, err := v.Get(t.Context(), "akv://my-key-vault/db\x00password")
	is(t, err, vaultlet.ErrInvalidArgument, "argument-malformed")
	_, err = v.Get(t.Context(), "akv://my-key-vault/db\xffpassword")
	is(t, err, vaultlet.ErrInvalidArgument, "argument-malformed")
	_, err = v.Get(t.Context(), "")
	is(t, err, vaultlet.ErrInvalidArgument, "reference-malformed")
	_, err = v.Token(t.Context(), vaultlet.TokenRequest{Claims: "\x00"})
	is(t, err, vaultlet.ErrInvalidArgument, "argument-malformed")
}

func TestSettingsAreChecked(t *testing.T) {
	for _, the := range []struct {
		option vaultlet.Option
		id     string
	}{
		{vaultlet.WithTimeout(-1), "setting-malformed"},
		{vaultlet.WithConcurrency(0), "setting-malformed"},
		{vaultlet.WithCloud("mars"), "setting-malformed"},
		{vaultlet.WithCAFile("/nowhere/ca.pem"), "ca-file"},
	} {
		_, err := vaultlet.Open(the.option)
		is(t, err, vaultlet.ErrConfiguration, the.id)
	}
}

func TestALibraryThatIsNoneIsNamed(t *testing.T) {
	other := filepath.Join(t.TempDir(), "libvaultlet.so")
	_, err := vaultlet.Open(vaultlet.WithLibrary(other))
	is(t, err, vaultlet.ErrConfiguration, "library-missing")
	if err := os.WriteFile(other, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = vaultlet.Open(vaultlet.WithLibrary(other))
	e := is(t, err, vaultlet.ErrConfiguration, "library-missing")
	if !strings.Contains(e.Message, other) {
		t.Error(e)
	}
	_, err = vaultlet.Open(vaultlet.WithLibrary("libc.so.6"))
	is(t, err, vaultlet.ErrConfiguration, "library-missing")
}
