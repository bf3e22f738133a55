//! Which user-assigned identity is asked for, and who says so.

use alloc::{borrow::Cow, format, string::ToString};

use super::Endpoint;
use crate::{
    call::Call,
    context::Context,
    error::{Error, Id},
    settings::malformed,
    token::{TokenRequest, UserAssigned, is_guid},
};

/// An identity, and where it comes from in words.
pub(in crate::source) struct Chosen {
    pub(in crate::source) id: UserAssigned,
    pub(super) from: Cow<'static, str>,
}

impl Chosen {
    /// What the call or the settings say.
    pub(in crate::source) fn given<C: Context>(
        call: &Call<'_, C>,
        request: &TokenRequest,
    ) -> Option<Self> {
        if let Some(id) = &request.identity {
            return Some(Self { id: id.clone(), from: "the call".into() });
        }
        let (id, from) = call.settings.identity.as_ref()?;
        Some(Self { id: id.clone(), from: from.to_string().into() })
    }

    /// Where no such id can be carried.
    pub(in crate::source) fn refused(&self) -> Error {
        let what = format!("this source cannot carry the {} of {}", self.words(), self.from);
        Error::new(Id::IdentityIdUnsupported, what)
    }

    /// What kind of id it is.
    pub(super) fn words(&self) -> &'static str {
        match self.id {
            UserAssigned::Client(_) => "client id",
            UserAssigned::Object(_) => "object id",
            UserAssigned::Resource(_) => "resource id",
        }
    }
}

/// The call's, the settings', or Azure's variables'.
pub(super) fn choose<C: Context>(
    call: &Call<'_, C>,
    endpoint: &Endpoint,
    request: &TokenRequest,
) -> Result<Option<Chosen>, Error> {
    if let Some(chosen) = Chosen::given(call, request) {
        return Ok(Some(chosen));
    }
    if endpoint.of_user {
        return Ok(None);
    }
    // Beside one of these it is a service principal's.
    let principal =
        ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"]
            .iter()
            .any(|name| call.variable(name).is_some());
    if let Some(id) = call.variable("AZURE_CLIENT_ID").filter(|_| !principal) {
        return match UserAssigned::client_id(&id) {
            Some(id) => Ok(Some(Chosen { id, from: "`AZURE_CLIENT_ID`".into() })),
            None => Err(malformed("AZURE_CLIENT_ID", "a GUID")),
        };
    }
    if endpoint.form == "azure-ml" {
        // Without an identity of its own the compute has the text `clientid` there.
        let id = call.variable("DEFAULT_IDENTITY_CLIENT_ID").filter(|id| is_guid(id));
        return Ok(id.map(|id| Chosen {
            id: UserAssigned::Client(id),
            from: "`DEFAULT_IDENTITY_CLIENT_ID`".into(),
        }));
    }
    Ok(None)
}
