//! The resources that an identity is lent for.

use super::{Lookup, set};
use crate::{
    error::{Error, Id},
    token::is_resource,
};

/// The variable with the resources that may be requested of a lent endpoint, separated by commas; unset:
/// Key Vault of the cloud.
pub const RESOURCES_VARIABLE: &str = "VAULTLET_LENT_RESOURCES";

/// Checks the resources: an entry that no request can be for is a slip.
pub(super) fn check(get: Lookup<'_>) -> Result<(), Error> {
    let Some(list) = set(get, RESOURCES_VARIABLE) else { return Ok(()) };
    for entry in list.split(',').map(str::trim) {
        let what = match entry {
            "" => "one of its resources is empty",
            _ if is_resource(entry) && entry.bytes().any(|b| b.is_ascii_alphanumeric()) => continue,
            _ => "one of its resources is not a URI or an id",
        };
        let message = alloc::format!("lending the identity endpoint: {what}");
        return Err(Error::new(Id::ArgumentMalformed, message)
            .with_help("name each resource as `https://vault.azure.net`"));
    }
    Ok(())
}
