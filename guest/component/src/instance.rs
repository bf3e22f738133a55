//! What an instance keeps: its context, the core's caches, and its environment.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::cell::OnceCell;

use crate::{bindings::exports::vaultlet::keyvault::types, convert::to_error};
use vaultlet_core::{
    call::{Call, Memory},
    context::Context,
    error::Error,
    scrub::Scrubbed,
};

/// This instance: its context and the core's caches.
pub(crate) struct Instance<C>(OnceCell<(C, Memory)>);

// SAFETY: an instance of a component has one thread, and its exports are not entered again while one
// of them runs.
unsafe impl<C> Sync for Instance<C> {}

impl<C: Context + Default> Instance<C> {
    pub(crate) const fn new() -> Self {
        Self(OnceCell::new())
    }

    /// The context and the caches.
    pub(crate) fn get(&self) -> &(C, Memory) {
        self.0.get_or_init(Default::default)
    }

    /// Makes one call into the core, and blocks until it is done.
    pub(crate) fn call<T>(
        &self,
        work: impl FnOnce(&Call<'_, C>) -> Result<T, Error>,
    ) -> Result<T, types::Error> {
        let (context, memory) = self.get();
        Call::new(context, memory).and_then(|call| work(&call)).map_err(to_error)
    }
}

/// The environment of this instance, which is read once: it does not change.
#[derive(Default)]
pub(crate) struct Environment(OnceCell<Vec<(String, Scrubbed<String>)>>);

impl Environment {
    /// A variable; an empty one counts as unset. `read` is what the environment is read by.
    pub(crate) fn variable(
        &self,
        name: &str,
        read: impl FnOnce() -> Vec<(String, String)>,
    ) -> Option<String> {
        let variables = self.0.get_or_init(|| {
            read().into_iter().map(|(name, value)| (name, Scrubbed::new(value))).collect()
        });
        let (_, value) = variables.iter().find(|(key, _)| key == name)?;
        if value.is_empty() { None } else { Some(value.as_str().to_owned()) }
    }
}
