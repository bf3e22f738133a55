package azure_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"vaultlet.dev/go"
	"vaultlet.dev/go/azure"
	"vaultlet.dev/go/internal/local"
)

func TestMain(m *testing.M) { local.Main(m, "--as", "user") }

func ExampleNewCredential() {
	v, err := vaultlet.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	client, err := azsecrets.NewClient("https://my-key-vault.vault.azure.net/", azure.NewCredential(v), nil)
	if err != nil {
		log.Fatal(err)
	}
	secret, err := client.GetSecret(context.Background(), "db-password", "", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(*secret.Value))
	// Output: 28
}

// Each handle is a credential of its own, here for two identities.
func TestTheSDKReadsSecretsByEachIdentity(t *testing.T) {
	for _, source := range []string{"azureml-obo", "managed-identity"} {
		v := local.Open(t, vaultlet.WithIdentity(source))
		client, err := azsecrets.NewClient("https://my-key-vault.vault.azure.net/", azure.NewCredential(v), nil)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := client.GetSecret(t.Context(), "db-password", "", nil)
		if err != nil {
			t.Fatal(source, err)
		}
		if *secret.Value != local.Value {
			t.Error(source, "another value")
		}
	}
}

func TestTokensAreForTheScopeAndTheTenant(t *testing.T) {
	credential := azure.NewCredential(local.Open(t))
	scopes := []string{"https://storage.azure.com/.default"}
	token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: scopes, EnableCAE: true})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(token.Token, "eyJ") || token.ExpiresOn.IsZero() || token.RefreshOn.After(token.ExpiresOn) {
		t.Error("not a token, or one with wrong times")
	}
	again, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: scopes})
	if err != nil || again.Token != token.Token {
		t.Error("the token is not in the cache", err)
	}
	claims := `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`
	fresh, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: scopes, Claims: claims})
	if err != nil || fresh.Token == token.Token {
		t.Error("claims do not bypass the cache", err)
	}
	application := local.Test(t, "--identity-form", "client-secret")
	credential = azure.NewCredential(local.Open(t, application.Variables()))
	if _, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: scopes}); err != nil {
		t.Fatal(err)
	}
	_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{
		Scopes: scopes, TenantID: "99999999-2222-3333-4444-555555555555",
	})
	local.Failed(t, err, vaultlet.ErrConfiguration, "tenant-not-allowed")
}

func TestErrorsComeThroughTheSDK(t *testing.T) {
	v := local.Open(t, vaultlet.WithClientID("11111111-2222-3333-4444-555555555555"), vaultlet.WithIdentity("managed-identity"))
	var requests counting
	options := &azsecrets.ClientOptions{}
	options.Transport = &requests
	client, err := azsecrets.NewClient("https://my-key-vault.vault.azure.net/", azure.NewCredential(v), options)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.GetSecret(t.Context(), "db-password", "", nil)
	local.Failed(t, err, vaultlet.ErrUnauthenticated, "identity-refused")
	if requests != 1 {
		t.Errorf("the SDK tried %d times", requests)
	}

	credential := azure.NewCredential(v)
	_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{})
	local.Failed(t, err, vaultlet.ErrInvalidArgument, "argument-malformed")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://storage.azure.com/.default"}})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestACredentialDoesNotPrintItsToken(t *testing.T) {
	credential := azure.NewCredential(local.Open(t))
	if _, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{
		Scopes: []string{"https://vault.azure.net/.default"},
	}); err != nil {
		t.Fatal(err)
	}
	local.ShowsNone(t, "the credential", fmt.Sprintf("%v %+v %#v", credential, credential, *credential))
}

type counting int

func (c *counting) Do(request *http.Request) (*http.Response, error) {
	*c++
	return http.DefaultClient.Do(request)
}
