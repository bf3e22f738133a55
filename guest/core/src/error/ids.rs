//! The failures there are: README's table of errors.

use super::ErrorKind;

macro_rules! ids {
    ($($variant:ident $name:literal $kind:ident $meaning:literal $remedy:literal)*) => {
        /// The failures there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Id {
            $(#[doc = $meaning] $variant,)*
        }

        /// Id, kind, meaning, remedy: what README's table of errors says.
        pub const IDS: &[(&str, ErrorKind, &str, &str)] =
            &[$(($name, ErrorKind::$kind, $meaning, $remedy),)*];

        impl Id {
            pub(super) const fn entry(self) -> (&'static str, ErrorKind, &'static str, &'static str) {
                match self {
                    $(Self::$variant => ($name, ErrorKind::$kind, $meaning, $remedy),)*
                }
            }
        }
    };
}

ids! {
    Usage "usage" Usage
        "the arguments are not understood"
        "see --help"
    ReferenceMalformed "reference-malformed" InvalidArgument
        "a reference does not name a secret"
        "write akv://<vault>/<name>[/<version>]"
    ArgumentMalformed "argument-malformed" InvalidArgument
        "a resource, tenant, claims or identity has not the form it must have"
        "correct it"
    PointerMissing "pointer-missing" InvalidArgument
        "the JSON pointer leads to nothing in the secret"
        "correct `json=` in the reference"
    SecretNotJson "secret-not-json" InvalidArgument
        "the reference has a JSON pointer and the secret is not JSON"
        "remove `json=` from the reference, or store JSON"
    VaultRejected "vault-rejected" InvalidArgument
        "the vault calls the request malformed"
        "correct the reference"
    SecretNotFound "secret-not-found" NotFound
        "the vault has no such secret, or no such version of it"
        "check the name, or create the secret"
    SecretDisabled "secret-disabled" Disabled
        "the secret is there and is disabled"
        "enable it, or ask for another version"
    VaultUnreachable "vault-unreachable" Unavailable
        "there is no connection to the vault"
        "check the vault's name and the network"
    VaultFailed "vault-failed" Unavailable
        "the vault answers with an error of its own, again and again"
        "try again in some minutes"
    VaultUnexpected "vault-unexpected" Unavailable
        "what answers is not a vault, or not one that is understood"
        "check the vault's name, and what stands between"
    VaultRedirect "vault-redirect" Unavailable
        "the vault points to another address, which is never followed"
        "check the vault's name, and what stands between"
    ChallengeMalformed "challenge-malformed" Unavailable
        "the vault asks for a token without saying for what"
        "check that this host is a vault"
    IdentityUnreachable "identity-unreachable" Unavailable
        "the identity endpoint that is configured cannot be reached"
        "check that it runs, and the variable that names it"
    IdentityFailed "identity-failed" Unavailable
        "the identity endpoint answers with an error of its own, again and again"
        "try again in some minutes"
    IdentityUnexpected "identity-unexpected" Unavailable
        "what the identity endpoint answers is not a token"
        "check the variable that names it"
    IdentityRedirect "identity-redirect" Unavailable
        "the identity endpoint points to another address, which is never followed"
        "check the variable that names it"
    AuthorityUnreachable "authority-unreachable" Unavailable
        "the token authority cannot be reached"
        "check the network, and `AZURE_AUTHORITY_HOST` if it is set"
    AuthorityFailed "authority-failed" Unavailable
        "the token authority answers with an error of its own, again and again"
        "try again in some minutes"
    AuthorityUnexpected "authority-unexpected" Unavailable
        "what answers is not a token authority, or not one that is understood"
        "check `AZURE_AUTHORITY_HOST`, and what stands between"
    Timeout "timeout" Timeout
        "the time that was allowed has run out"
        "allow more by `VAULTLET_TIMEOUT`, or look at what is slow"
    Internal "internal" Internal
        "a defect of this program"
        "report it with this message"
    VaultConflict "vault-conflict" Conflict
        "the state of the secret forbids it now"
        "wait, or recover the secret"
    VaultThrottled "vault-throttled" Throttled
        "the vault is asked too often"
        "wait, and read less often"
    IdentityThrottled "identity-throttled" Throttled
        "the identity endpoint is asked too often"
        "wait, and share one cache"
    AuthorityThrottled "authority-throttled" Throttled
        "the token authority is asked too often"
        "wait, and share one cache"
    VaultForbidden "vault-forbidden" Denied
        "the identity may not read this secret, or not list"
        "grant it the role `Key Vault Secrets User` (or the access policy `get`) on the vault; new grants take some minutes"
    VaultFirewall "vault-firewall" Denied
        "the vault's network rules do not admit this machine"
        "add its network to the vault's firewall, or use a private endpoint"
    VaultUnauthorized "vault-unauthorized" Denied
        "the vault refuses the token that it asked for"
        "check that the vault belongs to the tenant of the identity"
    EgressDenied "egress-denied" Denied
        "the host's policy does not allow this connection"
        "allow the address in the host's policy"
    NotServed "not-served" Denied
        "this is not served over HTTP"
        "set `VAULTLET_SERVE_SECRET`, and list the reference in `VAULTLET_SERVE_REFERENCES`"
    SettingMalformed "setting-malformed" Configuration
        "a setting has not the form it must have"
        "correct it"
    SettingsConflict "settings-conflict" Configuration
        "two settings contradict each other"
        "remove one of them"
    CredentialFile "credential-file" Configuration
        "the file of a credential is missing or malformed"
        "correct the file, or the variable that names it"
    TenantNotAllowed "tenant-not-allowed" Configuration
        "a token is asked for in a tenant that the credential is not for"
        "add the tenant to `VAULTLET_ADDITIONAL_TENANTS`, if it is to be trusted"
    HostRequired "host-required" Configuration
        "this source needs a host that runs a program or signs for it, and this runtime is none"
        "use vaultlet's own host, or choose another source by `VAULTLET_IDENTITY`"
    TerminalRequired "terminal-required" Configuration
        "a person must be told a code, and there is none to tell"
        "run it on a terminal, or choose another source by `VAULTLET_IDENTITY`"
    IdentityChallengeRefused "identity-challenge-refused" Configuration
        "the identity endpoint asks for a file that is not its own; none was read"
        "check the variable that names it, and what answers there"
    IdentityIdUnsupported "identity-id-unsupported" Configuration
        "this source cannot choose among user-assigned identities in that way"
        "name the identity by its client id, or choose the source by `VAULTLET_IDENTITY`"
    ChallengeRefused "challenge-refused" Configuration
        "the vault asks for a token for something else than itself; none was sent"
        "do not trust this host; check the vault's name"
    CertificateUntrusted "certificate-untrusted" Configuration
        "the server's certificate is not trusted, has expired or is for another name"
        "check the name; add a private CA by `--ca-file`"
    NoIdentity "no-identity" NotConfigured
        "no source of credentials is configured here"
        "run where there is a managed identity, or give the job one"
    IdentityRefused "identity-refused" Unauthenticated
        "an identity is configured and the identity endpoint refuses it"
        "check which identity is assigned here"
    AuthorityRefused "authority-refused" Unauthenticated
        "an identity is configured and the token authority refuses it"
        "see the code of the authority, and correct what it names"
    LoginFailed "login-failed" Unauthenticated
        "the login of a developer's tool gave no token"
        "see what the tool says, and log in anew"
}
