//! Every failure of the component: id, kind, meaning and remedy, as `host/cli/ERRORS.md` and
//! `vaultlet explain` print them.

use super::ErrorKind;

macro_rules! ids {
    ($($variant:ident $name:literal $kind:ident $meaning:literal $remedy:literal)*) => {
        /// A failure, by its stable id.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Id {
            $(#[doc = $meaning] $variant,)*
        }

        /// Every id with its kind, meaning and remedy.
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
        "the command line's arguments are wrong"
        "see `vaultlet --help`"
    ReferenceMalformed "reference-malformed" InvalidArgument
        "a reference does not name a secret"
        "write `akv://<vault>/<name>[/<version>]`"
    ArgumentMalformed "argument-malformed" InvalidArgument
        "a resource, tenant, claims challenge or identity is malformed"
        "correct the argument"
    VariableRefused "variable-refused" InvalidArgument
        "a secret cannot be put into a variable: of that name, or because it has a null character"
        "give the variable another name, as in `NAME=akv://<vault>/<name>`; read a binary secret by `-o value`, or as a file by `?as=file`"
    PointerMissing "pointer-missing" InvalidArgument
        "the secret has nothing at the reference's JSON pointer"
        "correct `json=` in the reference"
    SecretNotJson "secret-not-json" InvalidArgument
        "the reference has a JSON pointer, but the secret is not JSON"
        "remove `json=` from the reference, or store JSON"
    VaultRejected "vault-rejected" InvalidArgument
        "the vault rejects the request as malformed"
        "correct the reference"
    SecretNotFound "secret-not-found" NotFound
        "the vault has no secret of this name, or no such version of it"
        "check the name, or create the secret"
    SecretDisabled "secret-disabled" Disabled
        "the secret exists and is disabled"
        "enable it, or request another version"
    VaultUnreachable "vault-unreachable" Unavailable
        "no connection to the vault can be made"
        "check the vault's name and the network"
    VaultFailed "vault-failed" Unavailable
        "the vault still responds with a server error after several attempts"
        "try again in a few minutes"
    VaultUnexpected "vault-unexpected" Unavailable
        "the server's response is not one that a Key Vault gives"
        "check the vault's name, and any proxy in between"
    VaultRedirect "vault-redirect" Unavailable
        "the vault redirects to another address; redirects are never followed"
        "check the vault's name, and any proxy in between"
    ChallengeMalformed "challenge-malformed" Unavailable
        "the vault asks for a token, but its challenge is missing or malformed"
        "check that this host is a vault"
    IdentityUnreachable "identity-unreachable" Unavailable
        "the configured identity endpoint cannot be reached"
        "check that the endpoint is running, and the variable that names it"
    IdentityFailed "identity-failed" Unavailable
        "the identity endpoint still responds with a server error after several attempts"
        "try again in a few minutes"
    IdentityUnexpected "identity-unexpected" Unavailable
        "the identity endpoint's response is not a token"
        "check the variable that names the endpoint"
    IdentityRedirect "identity-redirect" Unavailable
        "the identity endpoint redirects to another address; redirects are never followed"
        "check the variable that names the endpoint"
    AuthorityUnreachable "authority-unreachable" Unavailable
        "the token authority cannot be reached"
        "check the network, and `AZURE_AUTHORITY_HOST` if it is set"
    AuthorityFailed "authority-failed" Unavailable
        "the token authority still responds with a server error after several attempts"
        "try again in a few minutes"
    AuthorityUnexpected "authority-unexpected" Unavailable
        "the server's response is not one that a token authority gives"
        "check `AZURE_AUTHORITY_HOST`, and any proxy in between"
    Timeout "timeout" Timeout
        "the call has taken longer than it may"
        "allow more time by `--timeout` (`VAULTLET_TIMEOUT`), or look at what is slow"
    Internal "internal" Internal
        "a defect in vaultlet"
        "report it with this message"
    VaultConflict "vault-conflict" Conflict
        "the secret's state does not allow the operation now: it is being deleted, for example"
        "wait, or recover the secret"
    VaultThrottled "vault-throttled" Throttled
        "the vault is throttling requests"
        "wait, and read less often"
    IdentityThrottled "identity-throttled" Throttled
        "the identity endpoint is throttling requests"
        "wait, and share one token cache among processes"
    AuthorityThrottled "authority-throttled" Throttled
        "the token authority is throttling requests"
        "wait, and share one token cache among processes"
    VaultForbidden "vault-forbidden" Denied
        "the identity is not allowed to read this secret, or to list the vault's secrets"
        "grant it the role `Key Vault Secrets User` (or the access policy `get`) on the vault; a new grant takes a few minutes to take effect"
    VaultFirewall "vault-firewall" Denied
        "the vault's network rules do not allow connections from this machine"
        "add its network to the vault's firewall, or use a private endpoint"
    VaultUnauthorized "vault-unauthorized" Denied
        "the vault refuses a token that matches its own challenge"
        "check that the vault belongs to the tenant of the identity"
    EgressDenied "egress-denied" Denied
        "the host's policy does not allow this connection"
        "allow the address in the host's policy"
    NotServed "not-served" Denied
        "the component does not serve this request over HTTP"
        "set `VAULTLET_SERVE_SECRET`, and list the reference in `VAULTLET_SERVE_REFERENCES`"
    SettingMalformed "setting-malformed" Configuration
        "a setting's value is malformed"
        "correct the setting"
    SettingsConflict "settings-conflict" Configuration
        "two settings contradict each other"
        "remove one of them"
    CredentialFile "credential-file" Configuration
        "a credential's file is missing or malformed"
        "correct the file, or the variable that names it"
    TenantNotAllowed "tenant-not-allowed" Configuration
        "a token is needed in a tenant that the credential may not be used for"
        "add the tenant by `--additional-tenants` (`VAULTLET_ADDITIONAL_TENANTS`), if you trust it"
    HostRequired "host-required" Configuration
        "this source needs a host that runs programs or signs for the component, which this runtime does not do"
        "use vaultlet's own host, or choose another source by `--identity` (`VAULTLET_IDENTITY`)"
    TerminalRequired "terminal-required" Configuration
        "a person has to be shown a code, and there is no terminal to show it on"
        "run it on a terminal, or choose another source by `--identity` (`VAULTLET_IDENTITY`)"
    IdentityChallengeRefused "identity-challenge-refused" Configuration
        "the identity endpoint asks for a file that does not belong to it; no file was read"
        "check the variable that names the endpoint, and which server is there"
    IdentityIdUnsupported "identity-id-unsupported" Configuration
        "this source cannot choose a user-assigned identity by this kind of id"
        "name the identity by its client id, or choose the source by `--identity` (`VAULTLET_IDENTITY`)"
    ChallengeRefused "challenge-refused" Configuration
        "the vault asks for a token for a foreign resource or tenant; no token was sent"
        "do not trust this host; check the vault's name"
    CertificateUntrusted "certificate-untrusted" Configuration
        "the server's certificate is not trusted, has expired or is for another name"
        "check the name; add a private CA by `--ca-file`"
    NoIdentity "no-identity" NotConfigured
        "no source of credentials is configured here"
        "run where a managed identity is available, or give the job an identity"
    IdentityRefused "identity-refused" Unauthenticated
        "an identity is configured, and the identity endpoint refuses to give a token for it"
        "check which identity is assigned here"
    AuthorityRefused "authority-refused" Unauthenticated
        "an identity is configured, and the token authority refuses to give a token for it"
        "look up the error code of the authority, and correct what it names"
    LoginFailed "login-failed" Unauthenticated
        "a developer tool's login gave no token"
        "see what the tool says, and log in again"
}
