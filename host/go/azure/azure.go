// Package azure makes a vaultlet handle a credential for the Azure SDK:
//
//	v, err := vaultlet.Open()
//	…
//	client, err := azblob.NewClient("https://data.blob.core.windows.net/", azure.NewCredential(v), nil)
//
// The credential finds the identities that [vaultlet.Open] finds, including the user of an Azure ML job,
// and shares the token cache of the handle. The package is a module of its own, so that other programs do
// not depend on the SDK.
package azure

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"vaultlet.dev/go"
)

// A Credential is an [azcore.TokenCredential] that gets its tokens from a handle. Any number of clients
// and goroutines may use it at once.
type Credential struct {
	vaultlet *vaultlet.Vaultlet
	options  []vaultlet.CallOption
}

var _ azcore.TokenCredential = (*Credential)(nil)

// NewCredential makes a credential that gets its tokens from a handle, with these options for each call.
// The caller closes the handle when no client needs it any more.
func NewCredential(v *vaultlet.Vaultlet, options ...vaultlet.CallOption) *Credential {
	return &Credential{v, append([]vaultlet.CallOption(nil), options...)}
}

// GetToken gets a token for one scope, with the tenant and the claims of the request. Claims bypass the
// token cache. EnableCAE has no effect: vaultlet always declares the capability to authorities that know
// it. An error is a [*vaultlet.Error]; vaultlet has already retried what is worth a retry.
func (c *Credential) GetToken(ctx context.Context, request policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(request.Scopes) != 1 {
		return azcore.AccessToken{}, &vaultlet.Error{
			Kind: vaultlet.ErrInvalidArgument, ID: "argument-malformed",
			Message: fmt.Sprintf("getting a token: it is for %d scopes", len(request.Scopes)),
			Help:    "ask for one scope",
		}
	}
	what := vaultlet.TokenRequest{
		Resource: request.Scopes[0], Tenant: request.TenantID, Claims: request.Claims,
	}
	token, err := c.vaultlet.Token(ctx, what, c.options...)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	defer token.Close()
	identity := token.Identity()
	// The SDK keeps the token as a string, as it does with the tokens of its own credentials.
	return azcore.AccessToken{
		Token: token.Reveal(), ExpiresOn: identity.ExpiresOn, RefreshOn: identity.RefreshOn,
	}, nil
}
