//! `vaultlet:keyvault/secrets`, as a plugin imports it: answered from the handle, within its grants.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};
use zeroize::Zeroize as _;

use crate::bindings::exports::vaultlet::keyvault::types::{
    Error as WitError, Properties as WitProperties, UserAssigned as WitUserAssigned,
};
use crate::error::{Error, Kind};
use crate::limits;
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
    })
}

async fn get(
    state: &mut State,
    reference: String,
    identity: Option<WitUserAssigned>,
) -> wasmtime::Result<Result<Resource<Held>, WitError>> {
    const DOING: &str = "getting a secret";
    let mut asked = None;
    let got = match state.admit(DOING) {
        Ok(()) => get_granted(&state.terms, &reference, identity.is_some(), &mut asked).await,
        Err(error) => Err(error),
    };
    log(&state.terms, "get", asked.as_ref(), &got);
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

async fn get_granted(
    terms: &Terms,
    reference: &str,
    chooses: bool,
    asked: &mut Option<Reference>,
) -> Result<Secret, Error> {
    if chooses {
        return Err(denied("no plugin may choose an identity"));
    }
    if reference.len() > limits::PLUGIN_REFERENCE_MAX {
        let most = limits::PLUGIN_REFERENCE_MAX;
        return Err(Error::new(
            Kind::InvalidArgument,
            "argument-malformed",
            format!("getting a secret: the reference has more than {most} bytes"),
            "correct the reference",
        ));
    }
    let asked = asked.insert(terms.vaultlet.resolved(reference).await?.into());
    if !terms.policy.allows(asked) {
        return Err(denied(format!(
            "`{}` is not granted to this plugin",
            asked.text.escape_debug()
        )));
    }
    // What was compared is what is asked for.
    terms.vaultlet.get(&asked.text).await
}

/// The same whether there is such a secret or not: nobody was asked.
fn denied(why: impl std::fmt::Display) -> Error {
    let message = format!("getting a secret: {why}");
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

/// One line an access: never a value, and no reference that is none.
fn log(terms: &Terms, doing: &str, asked: Option<&Reference>, result: &Result<Secret, Error>) {
    let plugin = &terms.name;
    let outcome = match result {
        Ok(_) => "ok",
        Err(error) => &error.id,
    };
    let reference = asked.map_or("-", |asked| &asked.text).escape_debug();
    tracing::info!(target: "vaultlet::plugin", "{plugin} {doing} {reference} {outcome}");
}
