package vaultlet

import "time"

// Properties are the properties of one version of a secret: everything but the value. A property that is
// not known is empty, a zero time or nil.
type Properties struct {
	Vault           string            // the host name of the vault, with the port if that is not 443
	Name            string            // the name of the secret
	Version         string            // the version, 32 hexadecimal digits
	ContentType     string            // the content type, as the author of the secret set it
	Enabled         *bool             // whether the value can be read
	Created         time.Time         // when this version was created
	Updated         time.Time         // when this version was last changed
	NotBefore       time.Time         // when this version becomes valid; Key Vault does not enforce this
	Expires         time.Time         // when this version expires; Key Vault does not enforce this
	RecoveryLevel   string            // what happens to a deleted secret, such as "Recoverable+Purgeable"
	RecoverableDays *int              // the number of days for which a deleted secret can be recovered
	Managed         *bool             // whether the secret belongs to a certificate
	KID             string            // the key id, if the secret belongs to a certificate
	Tags            map[string]string // the tags of the secret
}

// An Identity is the identity that a token belongs to, as the token itself says; nothing of it is
// verified. A field that is not known is empty or a zero time.
type Identity struct {
	Source    string    // the source of the token, such as "managed-identity"
	Endpoint  string    // the kind of endpoint, such as "azure-ml"
	Resource  string    // the resource that the token is for
	ClientID  string    // the client id of the user-assigned identity, if the call named one
	Tenant    string    // the tenant, a GUID
	ObjectID  string    // the object id of the identity, to which roles are granted
	AppID     string    // the application that the token was issued to
	UPN       string    // the name of the user, masked
	Audience  string    // the audience of the token
	ExpiresOn time.Time // when the token expires
	RefreshOn time.Time // when the token should be replaced by a new one
	Notes     []string  // remarks for people
}

// A TokenRequest says what a token is for. The zero value is for the Key Vault of the configured cloud.
type TokenRequest struct {
	// Resource is a resource or a scope, such as "https://storage.azure.com/.default".
	Resource string
	// Tenant is the tenant to ask; if empty, that of the identity.
	Tenant string
	// Claims are the claims that a service asked for, as JSON. They bypass the token cache.
	Claims string
}

// A Plan lists what the credentials may read or use, and which servers they may connect to.
type Plan struct {
	Vault     *Server  `json:"vault"`     // the vault of the reference, if there was one
	Variables []string `json:"variables"` // environment variables that select the source, whether set or not
	Secrets   []string `json:"secrets"`   // those that hold a secret, name its file, or name the endpoint that it is for
	Servers   []Server `json:"servers"`   // servers that the sources may connect to, in their order
	Files     []string `json:"files"`     // files that may be read; a name with * means all files of the folder with that ending
	Keys      []string `json:"keys"`      // files with private keys that may be used for signing
	Programs  []string `json:"programs"`  // programs that may be run
}

// A Server is a server that may be connected to.
type Server struct {
	Host    string `json:"host"`    // the host name or IP address
	Port    int    `json:"port"`    // the TCP port
	TLS     bool   `json:"tls"`     // whether the connection uses TLS
	Purpose string `json:"purpose"` // "vault", "token-authority" or "identity-endpoint"
}
