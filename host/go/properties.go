package vaultlet

import "time"

// Properties are all that is known of one version of a secret, but for its value. What is unknown
// is empty, a zero time or nil.
type Properties struct {
	Vault           string    // the host, with its port if that is not 443
	Name            string    //
	Version         string    // 32 hexadecimal digits
	ContentType     string    // as its author gave it
	Enabled         *bool     // whether it may be read
	Created         time.Time // when this version was made
	Updated         time.Time // when it was last changed
	NotBefore       time.Time // not meant to be used before; not enforced
	Expires         time.Time // not meant to be used after; not enforced
	RecoveryLevel   string    // what deleting it would mean
	RecoverableDays *int      // for which a deleted one can be recovered
	Managed         *bool     // whether it belongs to a certificate
	KID             string    // the key of that certificate
	Tags            map[string]string
}

// An Identity is what is known of a token and whose it is, by what it says of itself: nothing of it
// is verified. What is unknown is empty or a zero time.
type Identity struct {
	Source    string // such as "managed-identity"
	Endpoint  string // such as "azure-ml"
	Resource  string // what the token is for
	ClientID  string // of the user-assigned identity that was asked for
	Tenant    string // the directory: a GUID
	ObjectID  string // the identity's, to which a role is granted
	AppID     string // the application that asked
	UPN       string // the user's name, masked
	Audience  string
	ExpiresOn time.Time
	RefreshOn time.Time // when to ask for another
	Notes     []string  // for people
}

// A TokenRequest says what a token is for; the zero one, for the cloud's Key Vault.
type TokenRequest struct {
	// Resource or scope, such as "https://storage.azure.com/.default".
	Resource string
	// Tenant to ask; that of the identity when empty.
	Tenant string
	// Claims that a service asked for, in JSON. They bypass the cache.
	Claims string
}

// A Plan is what the credentials would read and whom they would talk to.
type Plan struct {
	Vault     *Server  `json:"vault"`     // that of the reference that was asked about
	Variables []string `json:"variables"` // that decide which source is used, whether set or not
	Servers   []Server `json:"servers"`   // that the sources may ask, in their order
	Files     []string `json:"files"`     // that may be read; one with * is all of a folder with that ending
	Keys      []string `json:"keys"`      // files with a key that may sign
	Programs  []string `json:"programs"`  // that may be run
}

// A Server may be talked to.
type Server struct {
	Host    string `json:"host"`
	Port    int    `json:"port"`
	TLS     bool   `json:"tls"`
	Purpose string `json:"purpose"` // "vault", "token-authority" or "identity-endpoint"
}
