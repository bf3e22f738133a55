//! Choosing a user-assigned identity.

use alloc::{borrow::Cow, format, string::ToString};

use super::endpoint::Endpoint;
use crate::{
    call::Call,
    context::Context,
    error::{Error, Id},
    settings::{malformed, set},
    token::{TokenRequest, UserAssigned, is_guid},
};

/// A user-assigned identity, and what chose it.
pub(in crate::source) struct ChosenIdentity {
    pub(in crate::source) id: UserAssigned,
    /// The setting or variable that chose it, as error messages name it.
    pub(super) from: Cow<'static, str>,
}

impl ChosenIdentity {
    /// Finds the identity that the call or the settings name explicitly; the call wins.
    pub(in crate::source) fn find_explicit<C: Context>(
        call: &Call<'_, C>,
        request: &TokenRequest,
    ) -> Option<Self> {
        if let Some(id) = &request.identity {
            return Some(Self { id: id.clone(), from: "the call".into() });
        }
        let (id, from) = call.settings.identity.as_ref()?;
        Some(Self { id: id.clone(), from: from.to_string().into() })
    }

    /// The error of a source whose requests cannot name this identity.
    pub(in crate::source) fn unsupported_error(&self) -> Error {
        let what = format!("this source cannot carry the {} of {}", self.kind(), self.from);
        Error::new(Id::IdentityIdUnsupported, what)
    }

    /// The kind of the id, for error messages.
    pub(super) fn kind(&self) -> &'static str {
        match self.id {
            UserAssigned::Client(_) => "client id",
            UserAssigned::Object(_) => "object id",
            UserAssigned::Resource(_) => "resource id",
        }
    }
}

/// Chooses the identity to request: the one that the call names, else the settings, else Azure's own
/// variables. None means the system-assigned identity.
pub(super) fn choose<C: Context>(
    call: &Call<'_, C>,
    endpoint: &Endpoint,
    request: &TokenRequest,
) -> Result<Option<ChosenIdentity>, Error> {
    if let Some(chosen) = ChosenIdentity::find_explicit(call, request) {
        return Ok(Some(chosen));
    }
    if endpoint.is_user {
        return Ok(None);
    }
    let set = |name: &str| set(&|name| call.variable(name), name);
    // Beside one of these variables, `AZURE_CLIENT_ID` is the id of a service principal.
    let principal =
        ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"]
            .iter()
            .any(|name| set(name).is_some());
    if let Some(id) = set("AZURE_CLIENT_ID").filter(|_| !principal) {
        return match UserAssigned::client_id(&id) {
            Some(id) => Ok(Some(ChosenIdentity { id, from: "`AZURE_CLIENT_ID`".into() })),
            None => Err(malformed("AZURE_CLIENT_ID", "a GUID")),
        };
    }
    if endpoint.form == "azure-ml" {
        // A compute without a user-assigned identity sets the variable to the text `clientid`.
        let id = set("DEFAULT_IDENTITY_CLIENT_ID").filter(|id| is_guid(id));
        return Ok(id.map(|id| ChosenIdentity {
            id: UserAssigned::Client(id),
            from: "`DEFAULT_IDENTITY_CLIENT_ID`".into(),
        }));
    }
    Ok(None)
}
