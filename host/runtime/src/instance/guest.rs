//! What an instance of the component can be asked, whichever of its two worlds it is of.

use std::sync::Arc;

use wasmtime::Result;

use crate::bindings::exports::vaultlet::keyvault::plan::{CredentialPlan, Resolved, Subject};
use crate::bindings::exports::vaultlet::keyvault::render::{Format, Part};
use crate::bindings::exports::vaultlet::keyvault::types::{
    Error, Holder, Listed, Page, Properties, TokenProperties, TokenRequest,
};
use crate::call::Call;
use crate::error::Cause;
use crate::token::UserAssigned;

use super::records::{Incoming, Reply, Route, SecretRecord, TokenRecord};

/// Variables, as pairs of name and value.
pub(crate) type Variables = [(String, String)];

/// An instance. An outer error is a trap, or the end of the call; the instance is not used again then.
pub(crate) trait Guest: Send {
    fn get(
        &mut self,
        call: &Arc<Call>,
        reference: &str,
        identity: Option<&UserAssigned>,
    ) -> Result<Result<SecretRecord, Error>>;

    fn list_page(
        &mut self,
        call: &Arc<Call>,
        what: &Listed,
        marker: Option<&str>,
        identity: Option<&UserAssigned>,
    ) -> Result<Result<Page, Error>>;

    fn get_token(
        &mut self,
        call: &Arc<Call>,
        request: &TokenRequest,
    ) -> Result<Result<TokenRecord, Error>>;

    fn serve(&mut self, call: &Arc<Call>, request: &Incoming) -> Result<Reply>;

    fn route(
        &mut self,
        call: &Arc<Call>,
        reference: &str,
        settings: &Variables,
    ) -> Result<Result<Route, Error>>;

    fn resolve(
        &mut self,
        call: &Arc<Call>,
        what: &Subject,
        settings: &Variables,
    ) -> Result<Result<Resolved, Error>>;

    fn plan_credentials(
        &mut self,
        call: &Arc<Call>,
        settings: &Variables,
        values: &Variables,
    ) -> Result<Result<CredentialPlan, Error>>;

    #[cfg(feature = "lend")]
    fn lent(
        &mut self,
        call: &Arc<Call>,
        address: &str,
        secret: &str,
    ) -> Result<Vec<(String, String)>>;

    fn render_secrets(
        &mut self,
        call: &Arc<Call>,
        references: &[(String, Properties)],
        values: &[String],
        part: Part,
        format: Format,
    ) -> Result<Result<String, Error>>;

    fn render_listing(
        &mut self,
        call: &Arc<Call>,
        what: &Listed,
        settings: &Variables,
        items: &[Properties],
        part: Part,
        format: Format,
    ) -> Result<Result<String, Error>>;

    fn render_token(
        &mut self,
        call: &Arc<Call>,
        token: &str,
        properties: &TokenProperties,
    ) -> Result<String>;

    fn render_whoami(
        &mut self,
        call: &Arc<Call>,
        properties: &TokenProperties,
        holder: &Holder,
        format: Format,
    ) -> Result<Result<String, Error>>;

    /// Takes the cause of the last transport failure.
    fn take_failure(&mut self) -> Option<Cause>;
}
