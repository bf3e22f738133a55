//! `vaultlet:keyvault/secrets`, as a plugin imports it: answered from the handle, within its grants.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};
use zeroize::Zeroize as _;

use crate::bindings::exports::vaultlet::keyvault::types::{
    Error as WitError, Properties as WitProperties, UserAssigned as WitUserAssigned,
};
use crate::engine::{Listed, Page};
use crate::error::{Error, Kind};
use crate::limits;
use crate::planner::Subject;
use crate::secret::Secret;

use super::builder::Terms;
use super::policy::Reference;
use super::state::State;

/// Interfaces with and without their version.
pub(super) const TYPES: (&str, &str) = ("vaultlet:keyvault/types", "vaultlet:keyvault/types@0.1.0");
pub(super) const SECRETS: (&str, &str) =
    ("vaultlet:keyvault/secrets", "vaultlet:keyvault/secrets@0.1.0");

type Context<'a> = StoreContextMut<'a, State>;

/// What a plugin has a handle of. Scrubbed when it drops it, or when its call ends.
struct Held {
    properties: WitProperties,
    /// What is passed on is this and no copy of it.
    value: Arc<str>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(value) = Arc::get_mut(&mut self.value) {
            value.zeroize();
        }
    }
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.instance(TYPES.1)?;
    let mut secrets = linker.instance(SECRETS.1)?;
    secrets.resource("secret", ResourceType::host::<Held>(), |mut store, rep| {
        let state = store.data_mut();
        state.table.delete(Resource::<Held>::new_own(rep))?;
        state.held = state.held.saturating_sub(1);
        Ok(())
    })?;
    secrets.func_wrap(
        "[method]secret.properties",
        |store: Context<'_>, (this,): (Resource<Held>,)| {
            Ok((store.data().table.get(&this)?.properties.clone(),))
        },
    )?;
    secrets.func_wrap(
        "[method]secret.reveal",
        |store: Context<'_>, (this,): (Resource<Held>,)| {
            Ok((Arc::clone(&store.data().table.get(&this)?.value),))
        },
    )?;
    secrets.func_wrap_async("get", |mut store: Context<'_>, (reference, identity)| {
        Box::new(async move { Ok((get(store.data_mut(), reference, identity).await?,)) })
    })?;
    secrets.func_wrap_async("list-page", |mut store: Context<'_>, (what, marker, identity)| {
        Box::new(async move { Ok((list_page(store.data_mut(), what, marker, identity).await,)) })
    })
}

async fn get(
    state: &mut State,
    reference: String,
    identity: Option<WitUserAssigned>,
) -> wasmtime::Result<Result<Resource<Held>, WitError>> {
    let mut access = Access::of(GET, identity.as_ref());
    let got = match state.admit(GET) {
        Ok(()) => access.get(&state.terms, &reference).await,
        Err(error) => Err(error),
    };
    access.log(&state.terms, &got);
    match got {
        Ok(secret) => {
            state.held += 1;
            let value = Arc::from(secret.reveal());
            let properties = secret.properties().clone().into();
            Ok(Ok(state.table.push(Held { properties, value })?))
        }
        Err(error) => Ok(Err(error.into())),
    }
}

async fn list_page(
    state: &mut State,
    what: Listed,
    marker: Option<String>,
    identity: Option<WitUserAssigned>,
) -> Result<Page, WitError> {
    let mut access = Access::of(LIST, identity.as_ref());
    let got = match state.admit(LIST) {
        Ok(()) => access.list(&state.terms, what, marker).await,
        Err(error) => Err(error),
    };
    access.log(&state.terms, &got);
    got.map_err(Into::into)
}

const GET: &str = "getting a secret";
const LIST: &str = "listing a page";

/// One question of a plugin's.
struct Access {
    doing: &'static str,
    chooses: bool,
    /// The canonical reference, once it is known.
    asked: Option<String>,
}

impl Access {
    fn of(doing: &'static str, identity: Option<&WitUserAssigned>) -> Self {
        Self { doing, chooses: identity.is_some(), asked: None }
    }

    async fn get(&mut self, terms: &Terms, reference: &str) -> Result<Secret, Error> {
        let asked = self.resolved(terms, reference).await?;
        if !terms.policy.reads(&asked) {
            return Err(self.denied());
        }
        // What was compared is what is asked for.
        terms.vaultlet.get(&asked.text).await
    }

    async fn list(
        &mut self,
        terms: &Terms,
        what: Listed,
        marker: Option<String>,
    ) -> Result<Page, Error> {
        let (granted, what) = match what {
            Listed::Secrets(of) => {
                self.admit(&of)?;
                let asked = terms.vaultlet.resolved(Subject::Vault(of)).await?.reference;
                self.note(&asked);
                (terms.policy.lists(&asked), Listed::Secrets(asked))
            }
            Listed::Versions(of) => {
                let asked = self.resolved(terms, &of).await?;
                (terms.policy.lists_versions(&asked), Listed::Versions(asked.text))
            }
        };
        if !granted {
            return Err(self.denied());
        }
        terms.vaultlet.list_page(what, marker).await
    }

    async fn resolved(&mut self, terms: &Terms, reference: &str) -> Result<Reference, Error> {
        self.admit(reference)?;
        let asked =
            Reference::of(terms.vaultlet.resolved(Subject::Secret(reference.to_owned())).await?);
        self.note(&asked.text);
        Ok(asked)
    }

    /// For what is said about it.
    fn note(&mut self, canonical: &str) {
        self.asked = Some(canonical.escape_debug().to_string());
    }

    fn admit(&self, reference: &str) -> Result<(), Error> {
        if self.chooses {
            return Err(not_granted(format!("{}: no plugin may choose an identity", self.doing)));
        }
        if reference.len() > limits::PLUGIN_REFERENCE_MAX {
            let most = limits::PLUGIN_REFERENCE_MAX;
            return Err(Error::new(
                Kind::InvalidArgument,
                "argument-malformed",
                format!("{}: the reference has more than {most} bytes", self.doing),
                "correct the reference",
            ));
        }
        Ok(())
    }

    /// The same whether there is such a secret or not: nobody was asked.
    fn denied(&self) -> Error {
        let asked = self.asked.as_deref().unwrap_or("-");
        not_granted(format!("{}: `{asked}` is not granted to this plugin", self.doing))
    }

    /// One line: never a value, and no reference that is none.
    fn log<T>(&self, terms: &Terms, result: &Result<T, Error>) {
        let outcome = match result {
            Ok(_) => "ok",
            Err(error) => &error.id,
        };
        let (plugin, doing) = (&terms.name, self.doing);
        let asked = self.asked.as_deref().unwrap_or("-");
        tracing::info!(target: "vaultlet::plugin", "{plugin} {doing} {asked} {outcome}");
    }
}

fn not_granted(message: String) -> Error {
    Error::new(Kind::Denied, "plugin-not-granted", message, "grant it where the plugin is opened")
}

impl State {
    /// Keeps a plugin from filling our memory, and from asking a vault without end.
    fn admit(&mut self, doing: &str) -> Result<(), Error> {
        self.asked += 1;
        let what = if self.asked > limits::PLUGIN_ASKED_MAX {
            format!("it has asked {} times in this call", limits::PLUGIN_ASKED_MAX)
        } else if self.held >= limits::PLUGIN_HELD_MAX {
            format!("it holds {} secrets", limits::PLUGIN_HELD_MAX)
        } else {
            return Ok(());
        };
        Err(Error::configuration(
            "plugin-limit",
            format!("{doing}: {what}, which is as many as a plugin may"),
            "let it drop what it does not need any more, or do less in one call",
        ))
    }
}
