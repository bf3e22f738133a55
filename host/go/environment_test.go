package vaultlet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vaultlet.dev/go"
	"vaultlet.dev/go/internal/local"
)

// environments is the table that the libraries of all languages are tested by.
type environments struct {
	Seeds  map[string]string
	Denied []string
	Cases  []struct {
		Name      string
		Variables map[string]string
		Only      []string
		Secrets   map[string]string
		Failed    []struct{ Name, ID, Kind string }
	}
}

func readEnvironments(t *testing.T) (table environments, azure *local.Azure) {
	text, err := os.ReadFile("../../tests/environment.json")
	if err == nil {
		err = json.Unmarshal(text, &table)
	}
	if err != nil {
		t.Fatal(err)
	}
	var arguments []string
	for name, value := range table.Seeds {
		// This one is there anyway.
		if name != "db-password" {
			arguments = append(arguments, "--seed", name+"="+value)
		}
	}
	for _, name := range table.Denied {
		arguments = append(arguments, "--grant", "managed:none:"+name)
	}
	return table, local.Test(t, arguments...)
}

func TestResolveEnvironment(t *testing.T) {
	table, azure := readEnvironments(t)
	shared := local.Open(t, azure.Variables())
	for _, c := range table.Cases {
		opened := map[string]string{}
		for _, variables := range []map[string]string{azure.Env, c.Variables} {
			for name, value := range variables {
				opened[name] = value
			}
		}
		forms := map[string]func() (map[string]*vaultlet.Secret, error){
			"the variables of a call": func() (map[string]*vaultlet.Secret, error) {
				request := vaultlet.EnvironmentRequest{Variables: c.Variables, Only: c.Only}
				return shared.ResolveEnvironment(t.Context(), request)
			},
			"the variables of a handle": func() (map[string]*vaultlet.Secret, error) {
				v := local.Open(t, vaultlet.WithVariables(opened))
				return v.ResolveEnvironment(t.Context(), vaultlet.EnvironmentRequest{Only: c.Only})
			},
		}
		for form, resolve := range forms {
			t.Run(form+": "+c.Name, func(t *testing.T) {
				secrets, err := resolve()
				if c.Failed == nil {
					resolved(t, secrets, err, c.Secrets)
					return
				}
				if len(secrets) > 0 {
					t.Error("there are secrets besides the error")
				}
				kinds := slices.IndexFunc([]vaultlet.Kind{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, func(k vaultlet.Kind) bool {
					return k.String() == c.Failed[0].Kind
				})
				failed := local.Failed(t, err, vaultlet.Kind(kinds+1), c.Failed[0].ID)
				if len(failed.Variables) != len(c.Failed) {
					t.Fatalf("%v", failed.Variables)
				}
				for i, f := range failed.Variables {
					expected := c.Failed[i]
					if f.Name != expected.Name || f.ID != expected.ID || f.Kind.String() != expected.Kind {
						t.Errorf("%+v, not %+v", f, expected)
					}
					if !strings.Contains(err.Error(), "`"+f.Name+"`") || !strings.Contains(err.Error(), f.Message) {
						t.Errorf("%s is not in %v", f.Name, err)
					}
				}
				local.ShowsNone(t, "the error", fmt.Sprintf("%+v", failed))
			})
		}
	}
}

// resolved fails the test unless these are the secrets, and closes them.
func resolved(t *testing.T, secrets map[string]*vaultlet.Secret, err error, expected map[string]string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	local.ShowsNone(t, "the result", fmt.Sprint(secrets))
	values := map[string]string{}
	for name, secret := range secrets {
		values[name] = secret.Reveal()
		secret.Close()
	}
	if !reflect.DeepEqual(values, expected) {
		t.Error("other secrets")
	}
}

func TestResolveTheEnvironmentOfTheProcess(t *testing.T) {
	v := local.Open(t)
	// After the handle was opened, and with a value that is no text.
	t.Setenv("A_PASSWORD", local.Reference)
	t.Setenv("A_BINARY", "\xff"+local.Reference)
	before := os.Environ()
	secrets, err := v.ResolveEnvironment(t.Context(), vaultlet.EnvironmentRequest{})
	resolved(t, secrets, err, map[string]string{"A_PASSWORD": local.Value})
	if !slices.Equal(before, os.Environ()) {
		t.Error("the environment has changed")
	}
}

func TestResolveEnvironmentRefuses(t *testing.T) {
	v := local.Open(t)
	variables := map[string]string{"A": local.Reference, "B": "akv://"}
	request := vaultlet.EnvironmentRequest{Variables: variables, Only: []string{"A", "C"}}
	_, err := v.ResolveEnvironment(t.Context(), request)
	if failed := local.Failed(t, err, vaultlet.ErrUsage, "usage"); failed.Variables != nil {
		t.Errorf("%v", failed.Variables)
	}
	request.Variables = map[string]string{"A": "a\x00b"}
	_, err = v.ResolveEnvironment(t.Context(), request)
	local.Failed(t, err, vaultlet.ErrInvalidArgument, "argument-malformed")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = v.ResolveEnvironment(ended, vaultlet.EnvironmentRequest{Variables: variables})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
