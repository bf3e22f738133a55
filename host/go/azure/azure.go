// Package azure makes a vaultlet a credential for the Azure SDK:
//
//	v, err := vaultlet.Open()
//	…
//	client, err := azblob.NewClient("https://data.blob.core.windows.net/", azure.NewCredential(v), nil)
//
// It finds the identities that [vaultlet.Open] finds, Azure ML's on behalf of the user among them,
// and shares the handle's cache. It is a module of its own, so that programs that need no SDK have
// none of it.
package azure

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"vaultlet.dev/go"
)

// A Credential is an [azcore.TokenCredential] by a handle, for any number of clients and goroutines.
type Credential struct {
	vaultlet *vaultlet.Vaultlet
	options  []vaultlet.CallOption
}

var _ azcore.TokenCredential = (*Credential)(nil)

// NewCredential makes a credential; its calls have these options. The handle stays yours to close,
// when no client needs it any more.
func NewCredential(v *vaultlet.Vaultlet, options ...vaultlet.CallOption) *Credential {
	return &Credential{v, append([]vaultlet.CallOption(nil), options...)}
}

// GetToken gets a token for one scope, in the tenant and with the claims of the request. Claims
// bypass the cache. EnableCAE changes nothing: where the authority knows it, it is always announced.
// An error is a [*vaultlet.Error]; the handle has made all the attempts that are worth it.
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
	// The SDK keeps it as a string, as it does with the tokens of its own credentials.
	return azcore.AccessToken{
		Token: token.Reveal(), ExpiresOn: identity.ExpiresOn, RefreshOn: identity.RefreshOn,
	}, nil
}
