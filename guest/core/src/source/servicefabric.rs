//! The identity endpoint of Service Fabric, which is trusted by the SHA-1 of its certificate.
//! <https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code>

use alloc::string::String;

use super::{
    found::{Found, Ready},
    local::Endpoint,
};
use crate::{
    error::Error,
    settings::{Lookup, malformed, set},
};

const FORM: &str = "service-fabric";
const PIN_VARIABLE: &str = "IDENTITY_SERVER_THUMBPRINT";

/// Present when `IDENTITY_ENDPOINT`, `IDENTITY_HEADER` and `IDENTITY_SERVER_THUMBPRINT` are set.
pub(super) fn find(variables: Lookup<'_>) -> Option<Found> {
    let url = set(variables, "IDENTITY_ENDPOINT")?;
    let (secret, pin) = (set(variables, "IDENTITY_HEADER")?, set(variables, PIN_VARIABLE)?);
    Some(Found::from_form(Some(FORM), endpoint(variables, &url, secret, &pin).map(Ready::endpoint)))
}

fn endpoint(
    variables: Lookup<'_>,
    url: &str,
    secret: String,
    pin: &str,
) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::from_variable(variables, FORM, "IDENTITY_ENDPOINT", url)?;
    if !endpoint.url.secure {
        return Err(malformed("IDENTITY_ENDPOINT", "an `https` URL, as Service Fabric's is"));
    }
    let pin: String = pin.chars().filter(|c| !matches!(c, ' ' | ':')).collect();
    if pin.len() != 40 || !pin.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(malformed(PIN_VARIABLE, "a SHA-1 of 40 hexadecimal digits"));
    }
    Ok(Endpoint {
        parameters: &[("api-version", "2019-07-01-preview")],
        pin: Some(pin.to_ascii_lowercase()),
        ..endpoint.with_header("secret", "IDENTITY_HEADER", secret)?
    })
}
