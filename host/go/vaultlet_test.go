package vaultlet_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vaultlet.dev/go"
	"vaultlet.dev/go/internal/local"
)

func TestAManagedIdentityGetsTheSecret(t *testing.T) {
	secret := get(t, local.Open(t))
	defer secret.Close()
	if secret.Reveal() != local.Value || string(secret.RevealBytes()) != local.Value {
		t.Error("another value")
	}
	p := secret.Properties()
	if p.Vault != local.Vault+".vault.azure.net" || p.Name != "db-password" || len(p.Version) != 32 {
		t.Errorf("%+v", p)
	}
	if p.Enabled == nil || !*p.Enabled || p.RecoverableDays == nil || !p.Expires.IsZero() {
		t.Errorf("%+v", p)
	}
	if age := time.Since(p.Created); p.Created.IsZero() || age < -time.Minute || age > time.Hour {
		t.Errorf("created %v", p.Created)
	}
}

func TestAJobOnBehalfOfItsUserGetsTheSecret(t *testing.T) {
	azure := local.Test(t, "--as", "user", "--grant", "managed:none")
	v := local.Open(t, azure.Variables())
	secret := get(t, v)
	defer secret.Close()
	if secret.Reveal() != local.Value {
		t.Error("another value")
	}
	who, err := v.Whoami(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if who.Source != "azureml-obo" || who.UPN == "" || who.ExpiresOn.Before(time.Now()) {
		t.Errorf("%+v", who)
	}
	managed := local.Open(t, azure.Variables(), vaultlet.WithIdentity("managed-identity"))
	_, err = managed.Get(t.Context(), local.Reference)
	local.Failed(t, err, vaultlet.ErrDenied, "vault-forbidden")
}

func TestGetManyKeepsTheOrder(t *testing.T) {
	v := local.Open(t)
	references := []string{"akv://my-key-vault/hub-token", local.Reference, local.Reference + "?json=/x"}
	secrets, err := v.GetMany(t.Context(), references[:2])
	if err != nil {
		t.Fatal(err)
	}
	// Closing one secret does not close the others.
	secrets[0].Close()
	if len(secrets) != 2 || secrets[1].Reveal() != local.Value {
		t.Error("another value")
	}
	secrets[1].Close()

	_, err = v.GetMany(t.Context(), references)
	local.Failed(t, err, vaultlet.ErrInvalidArgument, "secret-not-json")
	if none, err := v.GetMany(t.Context(), nil); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
}

func TestAVaultIsListed(t *testing.T) {
	v := local.Open(t)
	listed, err := v.List(t.Context(), local.Vault)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, p := range listed {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"db-password", "hub-token"}) {
		t.Error(names)
	}
	versions, err := v.Versions(t.Context(), local.Reference)
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) != 1 || len(versions[0].Version) != 32 {
		t.Errorf("%+v", versions)
	}
}

func TestATokenIsForTheRequestedResource(t *testing.T) {
	v := local.Open(t)
	token, err := v.Token(t.Context(), vaultlet.TokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if i := token.Identity(); i.Resource != "https://vault.azure.net" || i.Endpoint != "azure-ml" {
		t.Errorf("%+v", i)
	}
	if !strings.HasPrefix(token.Reveal(), "eyJ") {
		t.Error("not a token")
	}
	scope := vaultlet.TokenRequest{Resource: "https://storage.azure.com/.default"}
	token, err = v.Token(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	if i := token.Identity(); i.Resource != "https://storage.azure.com" || i.RefreshOn.IsZero() {
		t.Errorf("%+v", i)
	}
}

func TestACallCanNameItsOwnIdentity(t *testing.T) {
	v := local.Open(t)
	_, err := v.Get(t.Context(), local.Reference, vaultlet.WithClientID("11111111-2222-3333-4444-555555555555"))
	local.Failed(t, err, vaultlet.ErrUnauthenticated, "identity-refused")
	get(t, v).Close()

	_, err = v.Get(t.Context(), local.Reference, vaultlet.WithClientID("a"), vaultlet.WithObjectID("b"))
	local.Failed(t, err, vaultlet.ErrUsage, "usage")
}

func TestAPlanNeedsNoNetwork(t *testing.T) {
	v := local.Open(t, vaultlet.WithVariables(map[string]string{
		"MSI_ENDPOINT": "http://127.0.0.1:9/msi/token", "MSI_SECRET": "x",
	}))
	plan, err := v.Plan(t.Context(), local.Reference)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Vault == nil || plan.Vault.Host != "my-key-vault.vault.azure.net" || plan.Vault.Port != 443 || !plan.Vault.TLS {
		t.Errorf("%+v", plan.Vault)
	}
	identity := vaultlet.Server{Host: "127.0.0.1", Port: 9, Purpose: "identity-endpoint"}
	if !slices.Contains(plan.Variables, "MSI_ENDPOINT") || !slices.Contains(plan.Servers, identity) ||
		!slices.Contains(plan.Secrets, "MSI_SECRET") || slices.Contains(plan.Secrets, "AZURE_CLIENT_ID") {
		t.Errorf("%+v", plan)
	}
	if plan, err = v.Plan(t.Context(), ""); err != nil || plan.Vault != nil {
		t.Errorf("%+v %v", plan, err)
	}
}

// Open reads the environment of Go, which C does not see.
func TestOpenReadsTheEnvironmentOfGo(t *testing.T) {
	azure := local.Test(t, "--grant", "managed:none")
	for name, value := range azure.Env {
		t.Setenv(name, value)
	}
	_, err := local.Open(t).Get(t.Context(), local.Reference)
	local.Failed(t, err, vaultlet.ErrDenied, "vault-forbidden")
	t.Setenv("VAULTLET_TIMEOUT", "soon")
	_, err = vaultlet.Open()
	local.Failed(t, err, vaultlet.ErrConfiguration, "setting-malformed")
}

// The library leaves the signal handlers of Go in place: a fault in Go is still a panic that can be recovered.
func TestAFaultIsStillAPanic(t *testing.T) {
	get(t, local.Open(t)).Close()
	defer func() {
		if recovered := recover(); recovered == nil {
			t.Error("no panic")
		}
	}()
	var nothing *http.Request
	t.Log(nothing.Method)
}
