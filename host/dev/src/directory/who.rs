//! The identities: the compute's managed identity, the user who submitted the job, and the job's
//! application.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::UnknownWord;

/// An identity that a job can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The compute's managed identity.
    Managed,
    /// The user who submitted the job.
    User,
    /// An application of the tenant: a service principal.
    Application,
}

impl FromStr for Who {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "managed" => Ok(Self::Managed),
            "user" => Ok(Self::User),
            "application" => Ok(Self::Application),
            _ => Err(UnknownWord::new(word, "managed, user, application")),
        }
    }
}

/// The Entra tenant of all identities.
pub(crate) const TENANT: &str = "7e57de57-0000-4000-8000-00000000da7a";
/// The subscription that contains the vaults and the managed identity.
pub(crate) const SUBSCRIPTION: &str = "5b5c719f-0000-4000-8000-00000000dead";

/// An identity as tokens describe it.
pub(crate) struct Principal {
    pub(crate) who: Who,
    /// Client id; for the user, that of the program that acts for the user.
    pub(crate) app_id: &'static str,
    pub(crate) object_id: &'static str,
}

/// The compute's managed identity.
pub(crate) const MANAGED: Principal = Principal {
    who: Who::Managed,
    app_id: "c0ffee00-0000-4000-8000-0000000000a1",
    object_id: "c0ffee00-0000-4000-8000-0000000000b2",
};

/// The user who submitted the job.
pub(crate) const USER: Principal = Principal {
    who: Who::User,
    app_id: "5e7ca5e0-0000-4000-8000-0000000000c3",
    object_id: "5e7ca5e0-0000-4000-8000-0000000000d4",
};

/// The application that stands for the job.
pub(crate) const APPLICATION: Principal = Principal {
    who: Who::Application,
    app_id: "a991ca70-0000-4000-8000-0000000000e5",
    object_id: "a991ca70-0000-4000-8000-0000000000f6",
};

/// An application that may only be a confidential client of its own tenant.
pub(crate) const RESTRICTED: Principal = Principal {
    who: Who::Application,
    app_id: "a991ca70-0000-4000-8000-000000000e57",
    object_id: "a991ca70-0000-4000-8000-000000000f68",
};

/// Domain of the tenant; `.example` is reserved, so nobody can own it.
pub(crate) const DOMAIN: &str = "vaultlet.example";
/// Sign-in name of the user.
pub(crate) const USER_NAME: &str = "user@vaultlet.example";

/// Resource id of the managed identity.
pub(crate) fn resource_id() -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourcegroups/local/providers/\
         Microsoft.ManagedIdentity/userAssignedIdentities/compute"
    )
}

/// The principal that stands for each kind of identity.
pub(crate) fn principal(who: Who) -> &'static Principal {
    match who {
        Who::Managed => &MANAGED,
        Who::User => &USER,
        Who::Application => &APPLICATION,
    }
}

/// The identity with this object id.
pub(super) fn who_has_object_id(object_id: &str) -> Option<Who> {
    [MANAGED, USER, APPLICATION, RESTRICTED]
        .iter()
        .find(|principal| principal.object_id == object_id)
        .map(|principal| principal.who)
}
