//! What a vault's 401 or 403 means, by its code and its words, and what to do about it.
//! <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>

use alloc::string::String;

use crate::{
    error::Id,
    message::{Fault, find},
};

/// The help for an identity that may not list a vault.
/// <https://learn.microsoft.com/azure/key-vault/general/rbac-guide>
const LISTING: &str = "grant it the role `Key Vault Reader` or `Key Vault Secrets User` on the \
    vault (or the access policy `list`); a new grant takes a few minutes to take effect";

/// The help for a refusal of another kind than those that are known.
const OTHER: &str = "do what the vault says; if it is a grant that is missing, the role is \
    `Key Vault Secrets User` (or the access policy `get`)";

/// What is said of a page in place of the vault's refusal.
pub(super) const PAGE: &str = "a page refuses the request, as no Key Vault does";

/// The help for such a page.
pub(super) const IN_BETWEEN: &str =
    "check the vault's name, and which proxy, firewall or portal is in between";

/// <https://learn.microsoft.com/azure/key-vault/general/assign-access-policy>
const ON_BEHALF: &str = "the access policy of the identity has an authorized application, so that it holds for \
    that application on behalf of the identity only: add an access policy without one";

/// The id, the meaning and the help of a 403; the help of the id where it is empty.
pub(super) fn denied(fault: &Fault, is_page: bool) -> (Id, &'static str, &'static str) {
    let forbidden = match is_page {
        true => (Id::VaultForbidden, "the identity may not list them", LISTING),
        false => (Id::VaultForbidden, "the identity may not read it", ""),
    };
    match fault.code.as_deref().unwrap_or_default() {
        "SecretDisabled" => return (Id::SecretDisabled, "the secret is disabled", ""),
        "ForbiddenByFirewall" => {
            return (Id::VaultFirewall, "the vault's firewall does not admit this address", "");
        }
        "ForbiddenByConnection" => {
            return (Id::VaultFirewall, "the vault is closed to the public network", "");
        }
        "ForbiddenByRbac" | "AccessDenied" => return forbidden,
        _ => {}
    }
    let Some(says) = said(fault) else { return forbidden };
    if says(&["disabled secret", "secret is disabled"]) {
        (Id::SecretDisabled, "the secret is disabled", "")
    } else if says(&[
        "private link",
        "privatelink",
        "private endpoint",
        "firewall",
        "public network",
        "client address",
        "network rule",
        "perimeter",
        "virtual network",
    ]) {
        (Id::VaultFirewall, "the vault's network rules do not admit this machine", "")
    } else if says(&["on-behalf-of", "on behalf of", "(obo)", "authorized application"]) {
        let (id, what, _) = forbidden;
        (id, what, ON_BEHALF)
    } else if says(&["permission", "not authorized", "role assignment", "unauthorized"]) {
        forbidden
    } else {
        (Id::VaultForbidden, "the vault refuses", OTHER)
    }
}

/// The help for a refused token. A code in the words (`AKV10032: Invalid issuer…`) becomes the code of the
/// error.
pub(super) fn of_token(fault: &mut Fault) -> &'static str {
    let code = fault.message.as_deref().and_then(|words| words.split([':', ' ']).next());
    let code = code.filter(|code| {
        code.strip_prefix("AKV").is_some_and(|number| {
            (1..=12).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
        })
    });
    let code = code.map(String::from);
    let help = match said(fault) {
        Some(says) if says(&["audience", "akv10022"]) => {
            "the token is for another resource: check `--cloud` (`VAULTLET_CLOUD`) and \
             `AZURE_AUTHORITY_HOST`, and that the vault is of this cloud"
        }
        Some(says)
            if says(&["expired", "lifetime", "not yet valid", "not valid yet", "akv10045"]) =>
        {
            "set this machine's clock, and restart what gave out the token if that does not help"
        }
        Some(says) if !says(&["issuer", "tenant", "akv10032"]) => {
            "do what the vault says, and check that the vault belongs to the tenant of the identity"
        }
        _ => "",
    };
    if code.is_some() {
        fault.code = code;
    }
    help
}

/// Whether the id and the code say all that the vault's words do.
pub(super) fn is_said(id: Id, code: Option<&str>) -> bool {
    match id {
        Id::SecretDisabled | Id::SecretNotFound | Id::VaultThrottled => true,
        Id::VaultForbidden | Id::VaultFirewall => matches!(
            code,
            Some(
                "ForbiddenByRbac"
                    | "AccessDenied"
                    | "ForbiddenByFirewall"
                    | "ForbiddenByConnection"
            )
        ),
        _ => false,
    }
}

/// A function that tells whether the code or the words have one of some phrases, in any case; none if there
/// are no words.
fn said(fault: &Fault) -> Option<impl Fn(&[&str]) -> bool> {
    let words = fault.message.as_deref()?;
    let code = fault.code.as_deref().unwrap_or_default();
    let has = |phrase: &&str| find(words, phrase).or_else(|| find(code, phrase)).is_some();
    Some(move |phrases: &[&str]| phrases.iter().any(has))
}
