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

// commandLine returns the error of the command line, from its JSON and as the line that a person sees.
func commandLine(t *testing.T, azure *local.Azure, reference string) (expected vaultlet.Error, line string) {
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
			t.Fatal("the command line did not fail")
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
	expected = vaultlet.Error{ID: e.ID, Message: e.Message, Help: e.Help, Code: e.Code, Status: e.Status, Attempts: e.Attempts}
	for kind := vaultlet.ErrUsage; kind <= vaultlet.ErrUnauthenticated; kind++ {
		if kind.String() == e.Kind {
			expected.Kind = kind
		}
	}
	return expected, strings.TrimPrefix(string(run()), "vaultlet: ")
}

func TestErrorsAreLikeThoseOfTheCommandLine(t *testing.T) {
	denied := local.Test(t, "--grant", "managed:none")
	fine := local.Test(t)
	unconfigured := &local.Azure{Env: map[string]string{"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}}
	for _, test := range []struct {
		azure     *local.Azure
		reference string
		kind      vaultlet.Kind
		id        string
	}{
		{denied, local.Reference, vaultlet.ErrDenied, "vault-forbidden"},
		{fine, "akv://my-key-vault/another", vaultlet.ErrNotFound, "secret-not-found"},
		{fine, "akv://my-key-vault", vaultlet.ErrInvalidArgument, "reference-malformed"},
		{fine, local.Reference + "?json=/user", vaultlet.ErrInvalidArgument, "secret-not-json"},
		{unconfigured, local.Reference, vaultlet.ErrNotConfigured, "no-identity"},
	} {
		_, err := local.Open(t, test.azure.Variables()).Get(t.Context(), test.reference)
		e := local.Failed(t, err, test.kind, test.id)
		expected, line := commandLine(t, test.azure, test.reference)
		if e.Kind != expected.Kind || e.ID != expected.ID || e.Message != expected.Message || e.Help != expected.Help ||
			e.Code != expected.Code || e.Status != expected.Status || !slices.Equal(e.Attempts, expected.Attempts) {
			t.Errorf("%#v is not %#v", e, expected)
		}
		if err.Error() != line {
			t.Errorf("%q is not %q", err, line)
		}
		if test.azure == denied && (e.Status != 403 || e.Code != "ForbiddenByRbac" || e.RequestID == "") {
			t.Errorf("%#v", e)
		}
		if test.azure == unconfigured && len(e.Attempts) == 0 {
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
	v := local.Open(t)
	v.Close()
	v.Close()
	_, err := v.Get(t.Context(), local.Reference)
	local.Failed(t, err, vaultlet.ErrUsage, "usage")
	if !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	_, err = v.Whoami(t.Context())
	local.Failed(t, err, vaultlet.ErrUsage, "usage")
}

func TestAStringThatCCannotHaveIsRefused(t *testing.T) {
	v := local.Open(t)
	_, err := v.Get(t.Context(), "akv://my-key-vault/db\x00password")
	local.Failed(t, err, vaultlet.ErrInvalidArgument, "argument-malformed")
	_, err = v.Get(t.Context(), "akv://my-key-vault/db\xffpassword")
	local.Failed(t, err, vaultlet.ErrInvalidArgument, "argument-malformed")
	_, err = v.Get(t.Context(), "")
	local.Failed(t, err, vaultlet.ErrInvalidArgument, "reference-malformed")
	_, err = v.Token(t.Context(), vaultlet.TokenRequest{Claims: "\x00"})
	local.Failed(t, err, vaultlet.ErrInvalidArgument, "argument-malformed")
}

func TestSettingsAreChecked(t *testing.T) {
	for _, test := range []struct {
		option vaultlet.Option
		id     string
	}{
		{vaultlet.WithTimeout(-1), "setting-malformed"},
		{vaultlet.WithConcurrency(0), "setting-malformed"},
		{vaultlet.WithCloud("mars"), "setting-malformed"},
		{vaultlet.WithCAFile("/nowhere/ca.pem"), "ca-file"},
	} {
		_, err := vaultlet.Open(test.option)
		local.Failed(t, err, vaultlet.ErrConfiguration, test.id)
	}
}

func TestTheErrorNamesALibraryThatCannotBeLoaded(t *testing.T) {
	other := filepath.Join(t.TempDir(), "libvaultlet.so")
	_, err := vaultlet.Open(vaultlet.WithLibrary(other))
	local.Failed(t, err, vaultlet.ErrConfiguration, "library-missing")
	if err := os.WriteFile(other, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = vaultlet.Open(vaultlet.WithLibrary(other))
	e := local.Failed(t, err, vaultlet.ErrConfiguration, "library-missing")
	if !strings.Contains(e.Message, other) {
		t.Error(e)
	}
	_, err = vaultlet.Open(vaultlet.WithLibrary("libc.so.6"))
	local.Failed(t, err, vaultlet.ErrConfiguration, "library-missing")
}
