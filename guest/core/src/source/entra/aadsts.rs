//! Entra's error codes that a job may meet: meaning and remedy of each.
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>

use alloc::string::String;

use super::client::Client;

/// An error code with its meaning and remedy.
#[derive(Clone, Copy)]
pub(super) struct Known {
    code: &'static str,
    /// The meaning, as an error message says it.
    pub(super) meaning: &'static str,
    /// The remedy; `{client}` and `{tenant}` stand for the variables that hold them.
    help: &'static str,
    /// Whether a wrong clock is the usual cause.
    pub(super) clock_related: bool,
}

/// The code of a wrong client secret.
const SECRET_WRONG: &str = "7000215";

macro_rules! known {
    ($($code:literal $meaning:literal $help:literal $($time:ident)?)*) => {
        const KNOWN: &[Known] = &[$(Known {
            code: $code,
            meaning: $meaning,
            help: $help,
            clock_related: !concat!($(stringify!($time))?).is_empty(),
        }),*];
    };
}

known! {
    "7000215" "the client secret is wrong"
        "put the secret's value, not its id, into `AZURE_CLIENT_SECRET`"
    "7000222" "the client secret has expired"
        "create a new one for the application and put it into `AZURE_CLIENT_SECRET`"
    "7000218" "the application must authenticate, and has no secret, certificate or token"
        "give it a secret, a certificate or a federated token"
    "7000112" "the application is disabled in this tenant"
        "enable it, or use another by `{client}`"
    "700016" "there is no such application in this tenant"
        "check `{client}` and `{tenant}`"
    "700027" "the signature does not match a certificate of the application"
        "add the certificate of `AZURE_CLIENT_CERTIFICATE_PATH` to the application"
    "700024" "the assertion is not valid now"
        "set this machine's clock, or renew the token that is shown" clock
    "700211" "the application trusts no token of this issuer"
        "add a federated credential with the token's issuer to the application"
    "700212" "the federated token is for another audience"
        "use the audience `api://AzureADTokenExchange` on both sides"
    "700213" "the application trusts no token of this subject"
        "add a federated credential with the token's subject to the application"
    "70021" "the application trusts no token of this issuer and subject"
        "add a federated credential with both to the application"
    "90002" "there is no such tenant"
        "check `{tenant}`, and `AZURE_AUTHORITY_HOST` if it is of another cloud"
    "900023" "the tenant is malformed" "check `{tenant}`"
    "500011" "the resource is not known in this tenant"
        "check the resource, and that `{tenant}` is where it is used"
    "1002012" "an application cannot request this scope" "check the resource"
    "70011" "the scope is malformed" "check the resource"
    "65001" "no user or administrator has consented to this"
        "have an administrator grant the application its permission"
    "500131" "the user's token is for another application"
        "get a user's token whose audience is the application of `{client}`"
    "50013" "the assertion cannot be trusted: its signature or its time is wrong"
        "get a new one, and set this machine's clock" clock
    "50126" "the user's name or password is wrong"
        "check `AZURE_USERNAME` and `AZURE_PASSWORD`"
    "50034" "there is no such user in this tenant" "check `AZURE_USERNAME` and `{tenant}`"
    "50055" "the user's password has expired" "change it"
    "50076" "a second factor is required, which no job can give"
        "use a managed identity or a service principal"
    "50079" "a second factor must be set up, which no job can do"
        "use a managed identity or a service principal"
    "50105" "this identity lacks a role that the application requires"
        "assign one to it"
    "53003" "a policy of conditional access forbids it"
        "ask the tenant's administrator which policy, and run where it allows"
    "53000" "a policy of conditional access requires a managed device"
        "ask the tenant's administrator which policy, and run where it allows"
    "70019" "the code was not entered in time" "run it again"
    "70020" "the code was not entered in time" "run it again"
}

/// Finds the entry of a code, `AADSTS…`.
pub(super) fn find(code: &str) -> Option<Known> {
    let number = code.strip_prefix("AADSTS")?;
    KNOWN.iter().find(|known| known.code == number).copied()
}

/// The remedy, with the names of this client's variables.
pub(super) fn help(known: Known, client: &Client, is_secret_odd: bool) -> String {
    if is_secret_odd && known.code == SECRET_WRONG {
        return "remove the white space or the quotes around the secret in `AZURE_CLIENT_SECRET`"
            .into();
    }
    known.help.replace("{client}", client.id_variable).replace("{tenant}", client.tenant_variable)
}
