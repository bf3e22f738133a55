//! The identity endpoint that is lent to child processes, in the protocols of Azure's own.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

/// The variable that switches it on: what a child must show.
pub const SECRET_VARIABLE: &str = "VAULTLET_LENT_SECRET";
/// The one authority that a child may ask for, `127.0.0.1:40123`.
pub const AUTHORITY_VARIABLE: &str = "VAULTLET_LENT_AUTHORITY";
/// The resources that may be asked for, separated by commas.
pub const RESOURCES_VARIABLE: &str = "VAULTLET_LENT_RESOURCES";

/// The variables by which a child finds it. The two protocols without a secret header carry the
/// secret in their path.
pub fn variables(authority: &str, secret: &str) -> Vec<(String, String)> {
    [
        ("IDENTITY_ENDPOINT", format!("http://{authority}/msi/token")),
        ("IDENTITY_HEADER", secret.to_owned()),
        ("MSI_ENDPOINT", format!("http://{authority}/MSI/auth")),
        ("MSI_SECRET", secret.to_owned()),
        ("OBO_ENDPOINT", format!("http://{authority}/OBO/{secret}/token")),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", format!("http://{authority}/{secret}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
