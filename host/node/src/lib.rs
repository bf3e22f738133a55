//! The native half of the npm package `vaultlet`: what `lib/` of it calls, and nobody else.
//!
//! A call is begun on a thread of JavaScript and runs on the host's; its outcome comes back through
//! the port of that thread. A secret's value stays in Rust until `reveal`: JavaScript holds it as an
//! external, that cannot be looked into, and collecting that scrubs it.

#![cfg_attr(
    test,
    allow(dead_code, reason = "nothing is registered in the build of a test, which there is none")
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
use options::{Call, OnPrompt, Options};
use port::{Outcome, Owner, Settled, Value, Wake};
use values::{Held, Identity, Properties};
use vaultlet_host::{Error, TokenRequest, Vaultlet};

/// A handle, as JavaScript holds it, until it is closed.
pub(crate) struct Handle(pub(crate) Option<Vaultlet>);

/// Bytes that one keeps in memory, roughly, so that the collector hears of them.
const HANDLE: usize = 1 << 20;

/// The port of this thread; `wake` is called when there is something to [`drain`].
#[napi]
pub(crate) fn open_port(wake: Wake) -> External<Owner> {
    External::new(Owner::new(wake))
}

/// The outcomes since the last time.
#[napi]
pub(crate) fn drain(env: &Env, port: &External<Owner>) -> Result<Vec<Settled>> {
    port.drain(env)
}

/// Ends a call; its outcome comes all the same.
#[napi]
pub(crate) fn cancel(port: &External<Owner>, id: u32) {
    port.cancel(id);
}

/// Opens a handle.
#[napi]
pub(crate) fn open(
    options: Options,
    on_prompt: Option<OnPrompt>,
) -> Either<External<Handle>, Failure> {
    external(options.builder(on_prompt).open())
}

/// Gives up what a handle has; calls that run go on with their own share.
#[napi]
pub(crate) fn close(on: &mut External<Handle>) {
    on.0 = None;
}

/// The handle that all threads of this process share.
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
        Ok(vaultlet) => Either::A(External::new_with_size_hint(Handle(Some(vaultlet)), HANDLE)),
        Err(error) => Either::B(error.into()),
    }
}

/// Begins to get a secret.
#[napi]
pub(crate) fn get(
    env: &Env,
    port: &External<Owner>,
    on: &External<Handle>,
    id: u32,
    call: Call,
    reference: String,
) -> Result<()> {
    port.begin(env, on, id, call, async move |on| {
        Outcome::of(on.get(&reference).await, |secret| Value::Held(Held::Secret(secret)))
    })
}

/// Begins to get several.
#[napi]
pub(crate) fn get_many(
    env: &Env,
    port: &External<Owner>,
    on: &External<Handle>,
    id: u32,
    call: Call,
    references: Vec<String>,
) -> Result<()> {
    port.begin(env, on, id, call, async move |on| {
        Outcome::of(on.get_many(&references).await, |secrets| {
            Value::Many(secrets.into_iter().map(Held::Secret).collect())
        })
    })
}

/// Begins to list a vault's secrets.
#[napi]
pub(crate) fn list(
    env: &Env,
    port: &External<Owner>,
    on: &External<Handle>,
    id: u32,
    call: Call,
    vault: String,
) -> Result<()> {
    port.begin(env, on, id, call, async move |on| Outcome::of(on.list(&vault).await, listing))
}

/// Begins to list a secret's versions.
#[napi]
pub(crate) fn versions(
    env: &Env,
    port: &External<Owner>,
    on: &External<Handle>,
    id: u32,
    call: Call,
    reference: String,
) -> Result<()> {
    port.begin(env, on, id, call, async move |on| {
        Outcome::of(on.versions(&reference).await, listing)
    })
}

fn listing(of: Vec<vaultlet_host::Properties>) -> Value {
    Value::Listing(of.iter().map(Into::into).collect())
}

/// Begins to get a token.
#[napi]
pub(crate) fn token(
    env: &Env,
    port: &External<Owner>,
    on: &External<Handle>,
    id: u32,
    call: Call,
    request: options::Token,
) -> Result<()> {
    let options::Token { resource, tenant, claims } = request;
    let request = TokenRequest { resource, tenant, claims };
    port.begin(env, on, id, call, async move |on| {
        Outcome::of(on.token(request).await, |token| Value::Held(Held::Token(token)))
    })
}

/// Begins to make a plan.
#[napi]
pub(crate) fn plan(
    env: &Env,
    port: &External<Owner>,
    on: &External<Handle>,
    id: u32,
    call: Call,
    reference: Option<String>,
) -> Result<()> {
    port.begin(env, on, id, call, async move |on| {
        Outcome::of(on.plan(reference.as_deref()).await, |plan| Value::Plan(plan.into()))
    })
}

/// The plaintext, as a string of JavaScript, which nobody can scrub; nothing once disposed of.
#[napi]
pub(crate) fn reveal(held: &External<Held>) -> Option<&str> {
    held.reveal()
}

/// Scrubs the value.
#[napi]
pub(crate) fn dispose(held: &mut External<Held>) {
    **held = Held::Disposed;
}

/// What is known of a secret besides its value; nothing once disposed of.
#[napi]
pub(crate) fn properties(held: &External<Held>) -> Option<Properties> {
    held.properties()
}

/// What is known of a token besides the token; nothing once disposed of.
#[napi]
pub(crate) fn identity(held: &External<Held>) -> Option<Identity> {
    held.identity()
}
