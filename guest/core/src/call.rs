//! One call into the core: its settings, its deadline, and the caches of the instance.

use alloc::{rc::Rc, string::String, vec::Vec};
use core::{
    cell::{Cell, OnceCell, RefCell},
    time::Duration,
};

use crate::{
    context::Context,
    error::Error,
    settings::Settings,
    token::{Audience, Token, TokenRequest, UserAssigned},
    words::url::Url,
};

/// One call into the core.
#[derive(Debug)]
pub struct Call<'a, C> {
    pub(crate) context: &'a C,
    pub(crate) settings: Rc<Settings>,
    pub(crate) memory: &'a Memory,
    /// The deadline, on the monotonic clock.
    pub(crate) deadline: Duration,
    /// Variables that win over the environment's.
    given: &'a [(&'static str, String)],
}

impl<'a, C: Context> Call<'a, C> {
    /// Begins a call with the settings of the instance: starts the clock.
    pub fn new(context: &'a C, memory: &'a Memory) -> Result<Self, Error> {
        let settings = match memory.settings.get() {
            Some(settings) => settings,
            None => {
                let settings = Rc::new(Settings::read(&|name| context.variable(name))?);
                memory.settings.get_or_init(|| settings)
            }
        };
        Ok(Self::begun(context, memory, Rc::clone(settings), &[]))
    }

    /// Begins a call with these variables before the environment's, for this call only. An empty one is
    /// unset.
    pub fn with_settings(
        context: &'a C,
        memory: &'a Memory,
        given: &'a [(&'static str, String)],
    ) -> Result<Self, Error> {
        let settings = Rc::new(Settings::read(&|name| variable(context, given, name))?);
        Ok(Self::begun(context, memory, settings, given))
    }

    fn begun(
        context: &'a C,
        memory: &'a Memory,
        settings: Rc<Settings>,
        given: &'a [(&'static str, String)],
    ) -> Self {
        let deadline = context.monotonic().saturating_add(settings.timeout);
        Self { context, settings, memory, deadline, given }
    }

    /// The settings of the call.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The time until the deadline.
    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_sub(self.context.monotonic())
    }

    /// An environment variable; empty means unset.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        variable(self.context, self.given, name)
    }
}

fn variable<C: Context>(
    context: &C,
    given: &[(&'static str, String)],
    name: &str,
) -> Option<String> {
    let given = given.iter().find(|(given, _)| *given == name);
    let value = given.map(|(_, value)| value.clone()).or_else(|| context.variable(name));
    value.filter(|value| !value.is_empty())
}

/// The caches of one instance: its settings, tokens, the audiences of vaults, and the absence of a metadata
/// service. Only what was verified is cached. All contexts that use one `Memory` must have the same
/// environment.
#[derive(Debug, Default)]
pub struct Memory {
    /// The settings of the environment, which does not change.
    settings: OnceCell<Rc<Settings>>,
    pub(crate) tokens: RefCell<Vec<(TokenKey, RememberedToken)>>,
    /// By the vault's URL, of which only the origin counts.
    pub(crate) vaults: RefCell<Vec<(Url, Audience)>>,
    /// The end of the time, in Unix seconds, for which the metadata service counts as absent.
    pub(crate) no_metadata_until: Cell<i64>,
}

/// The key of a cached token: everything in a request that selects the token. Settings do not
/// change within an instance.
#[derive(Debug)]
pub(crate) struct TokenKey {
    resource: String,
    tenant: Option<String>,
    identity: Option<UserAssigned>,
}

impl TokenKey {
    pub(crate) fn new(request: &TokenRequest) -> Self {
        Self {
            resource: request.resource.clone(),
            tenant: request.tenant.clone(),
            identity: request.identity.clone(),
        }
    }

    /// Whether the request is for the token of this key.
    pub(crate) fn matches(&self, request: &TokenRequest) -> bool {
        self.resource == request.resource
            && self.tenant == request.tenant
            && self.identity == request.identity
    }
}

/// A cached token.
#[derive(Debug)]
pub(crate) struct RememberedToken {
    pub(crate) token: Rc<Token>,
    /// The time of the last request for this token, in Unix seconds.
    pub(crate) tried: i64,
}
