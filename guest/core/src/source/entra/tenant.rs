//! The tenant of a token request.
//! <https://learn.microsoft.com/entra/identity-platform/access-tokens>

use alloc::{borrow::ToOwned, format, string::String};

use super::client::{ADFS, Client};
use crate::{
    error::{Error, Id},
    settings::{Tenants, malformed},
    token::is_tenant,
};

/// Checks the tenant in an environment variable.
pub(in crate::source) fn parse(name: &'static str, tenant: &str) -> Result<String, Error> {
    let tenant = tenant.trim();
    if is_tenant(tenant) {
        Ok(tenant.to_owned())
    } else {
        Err(malformed(name, "a tenant's id or domain"))
    }
}

/// Chooses the tenant: the one that the call requests, if it is allowed, or else the client's own.
pub(super) fn choose<'a>(
    allowed: &Tenants,
    client: &'a Client,
    requested: Option<&'a str>,
) -> Result<&'a str, Error> {
    let own = client.tenant.as_str();
    let Some(requested) = requested.filter(|it| !it.eq_ignore_ascii_case(own)) else {
        return Ok(own);
    };
    if own.eq_ignore_ascii_case(ADFS) {
        return Ok(own);
    }
    let is_allowed = match allowed {
        Tenants::Never => return Ok(own),
        Tenants::None => own.eq_ignore_ascii_case("organizations"),
        Tenants::These(these) => these.iter().any(|one| one.eq_ignore_ascii_case(requested)),
        Tenants::Any => true,
    };
    if is_allowed {
        return Ok(requested);
    }
    let what = format!(
        "a token is asked for in tenant {requested}, and the credential is for {own} (`{}`)",
        client.tenant_variable
    );
    Err(Error::new(Id::TenantNotAllowed, what))
}
