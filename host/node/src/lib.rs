//! The native half of the npm package `vaultlet`. Only the package's `lib/` calls it.
//!
//! A call begins on a thread of JavaScript and runs on the host's threads; its result comes back through
//! the port of the JavaScript thread. A secret's value stays in Rust until `reveal`: JavaScript holds it
//! as an external, which it cannot look into, and the value is scrubbed when the external is collected.

#![cfg_attr(
    test,
    allow(dead_code, reason = "there are no tests here, and a build for tests registers nothing")
)]

mod failure;
mod options;
mod port;
mod values;

use std::sync::{Mutex, PoisonError};

use failure::Failure;
use napi::Env;
use napi::bindgen_prelude::{Either, External, Result};
use napi_derive::napi;
use options::{CallOptions, HandleOptions, OnPrompt};
use port::{Owner, Settled, Value, Wake};
use values::{Held, Identity, Properties};
use vaultlet_host::{Error, Vaultlet};

/// A handle, as JavaScript holds it; `None` once it is closed.
pub(crate) struct Handle(pub(crate) Option<Vaultlet>);

/// The approximate size of a handle in bytes, for the garbage collector.
const HANDLE_SIZE: usize = 1 << 20;

/// Opens the port of this thread. `wake` is called when there are results to [`drain`].
#[napi]
pub(crate) fn open_port(wake: Wake) -> External<Owner> {
    External::new(Owner::new(wake))
}

/// The results that have arrived since the last time.
#[napi]
pub(crate) fn drain(env: &Env, port: &External<Owner>) -> Result<Vec<Settled>> {
    port.drain(env)
}

/// Cancels a call. Its result still arrives.
#[napi]
pub(crate) fn cancel(port: &External<Owner>, id: u32) {
    port.cancel(id);
}

/// Opens a handle.
#[napi]
pub(crate) fn open(
    options: HandleOptions,
    on_prompt: Option<OnPrompt>,
) -> Either<External<Handle>, Failure> {
    external(options.builder(on_prompt).open())
}

/// Closes a handle. Calls that are running go on.
#[napi]
pub(crate) fn close(handle: &mut External<Handle>) {
    handle.0 = None;
}

/// Opens the handle that all threads of this process share, or returns it where it is open.
#[napi]
pub(crate) fn open_shared() -> Either<External<Handle>, Failure> {
    static SHARED: Mutex<Option<Vaultlet>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    external(match &*shared {
        Some(vaultlet) => Ok(vaultlet.clone()),
        None => Vaultlet::builder().open().inspect(|opened| *shared = Some(opened.clone())),
    })
}

fn external(opened: std::result::Result<Vaultlet, Error>) -> Either<External<Handle>, Failure> {
    match opened {
        Ok(vaultlet) => {
            Either::A(External::new_with_size_hint(Handle(Some(vaultlet)), HANDLE_SIZE))
        }
        Err(error) => Either::B(error.into()),
    }
}

/// Defines functions that begin a call: each takes the port of its thread, a handle, the call's number
/// and options, and one argument of its own.
macro_rules! calls {
    ($($(#[$doc:meta])* fn $name:ident($argument:ident: $type:ty) $start:expr;)*) => {$(
        $(#[$doc])*
        #[napi]
        pub(crate) fn $name(
            env: &Env,
            port: &External<Owner>,
            handle: &External<Handle>,
            id: u32,
            options: CallOptions,
            $argument: $type,
        ) -> Result<()> {
            port.begin(env, handle, id, options, $start)
        }
    )*};
}

calls! {
    /// Begins to get a secret.
    fn get(reference: String) |on, ended| {
        on.get_then(&reference, ended.result(|secret| Value::Held(Held::Secret(secret))));
    };

    /// Begins to get several secrets.
    fn get_many(references: Vec<String>) |on, ended| {
        on.get_many_then(references, ended.result(|secrets: Vec<_>| {
            Value::Many(secrets.into_iter().map(Held::Secret).collect())
        }));
    };

    /// Begins to resolve the environment.
    fn resolve_environment(request: options::EnvironmentRequest) |on, ended| {
        let resolved = ended.result(|secrets: std::collections::BTreeMap<_, _>| {
            let (names, secrets): (Vec<_>, Vec<_>) = secrets.into_iter().unzip();
            Value::Environment(names, secrets.into_iter().map(Held::Secret).collect())
        });
        on.resolve_environment_then(&request.into(), resolved);
    };

    /// Begins to list a vault's secrets.
    fn list(vault: String) |on, ended| on.list_then(&vault, ended.result(listing));

    /// Begins to list a secret's versions.
    fn versions(reference: String) |on, ended| {
        on.versions_then(&reference, ended.result(listing));
    };

    /// Begins to get a token.
    fn token(request: options::TokenRequest) |on, ended| {
        on.token_then(request.into(), ended.result(|token| Value::Held(Held::Token(token))));
    };

    /// Begins to make a plan.
    fn plan(reference: Option<String>) |on, ended| {
        let planned = ended.result(|plan: vaultlet_host::Plan| Value::Plan(plan.into()));
        on.plan_then(reference.as_deref(), planned);
    };
}

fn listing(items: Vec<vaultlet_host::Properties>) -> Value {
    Value::Listing(items.iter().map(Into::into).collect())
}

/// The value as a string of JavaScript, which nobody can scrub; `undefined` once it is disposed of.
#[napi]
pub(crate) fn reveal(held: &External<Held>) -> Option<&str> {
    held.reveal()
}

/// Scrubs the value.
#[napi]
pub(crate) fn dispose(held: &mut External<Held>) {
    **held = Held::Disposed;
}

/// Everything that is known of a secret except its value; `undefined` once it is disposed of.
#[napi]
pub(crate) fn properties(held: &External<Held>) -> Option<Properties> {
    held.properties()
}

/// Everything that is known of a token except the token; `undefined` once it is disposed of.
#[napi]
pub(crate) fn identity(held: &External<Held>) -> Option<Identity> {
    held.identity()
}
