//! In which tenant a token is asked for.
//! <https://learn.microsoft.com/entra/identity-platform/access-tokens>

use alloc::{borrow::ToOwned, format, string::String};

use super::{ADFS, Client};
use crate::{
    error::{Error, Id},
    settings::{Tenants, malformed},
    token::is_tenant,
};

/// A tenant that a variable names.
pub(in crate::source) fn parse(name: &'static str, tenant: &str) -> Result<String, Error> {
    let tenant = tenant.trim();
    if is_tenant(tenant) {
        Ok(tenant.to_owned())
    } else {
        Err(malformed(name, "a tenant's id or domain"))
    }
}

/// The client's own, or the one that was asked for if that may be.
pub(super) fn of<'a>(
    allowed: &Tenants,
    client: &'a Client,
    asked: Option<&'a str>,
) -> Result<&'a str, Error> {
    let own = client.tenant.as_str();
    let Some(asked) = asked.filter(|asked| !asked.eq_ignore_ascii_case(own)) else {
        return Ok(own);
    };
    if own.eq_ignore_ascii_case(ADFS) {
        return Ok(own);
    }
    let is_allowed = match allowed {
        Tenants::Never => return Ok(own),
        Tenants::None => own.eq_ignore_ascii_case("organizations"),
        Tenants::These(these) => these.iter().any(|one| one.eq_ignore_ascii_case(asked)),
        Tenants::Any => true,
    };
    if is_allowed {
        return Ok(asked);
    }
    let what = format!(
        "a token is asked for in tenant {asked}, and the credential is for {own} (`{}`)",
        client.tenant_from
    );
    Err(Error::new(Id::TenantNotAllowed, what))
}
