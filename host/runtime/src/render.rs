//! The text that the commands of the command line print. The component renders it, in an instance without any
//! capability: so `vaultlet.wasm` and the native program print the same.
//!
//! This is for the command line only, and no part of this crate's stable interface.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::{render::Part, types::Listed};
use crate::call::Call;
use crate::error::Error;
use crate::handle::{Operations, Vaultlet};
use crate::secret::{Properties, Secret};
use crate::token::Token;

pub use crate::bindings::exports::vaultlet::keyvault::render::Format;

/// Secrets that are rendered in one call: with the longest values they need a third of an instance's memory.
const SECRETS: usize = 8;
/// Items of a list that are rendered in one call: with the most tags they need a third of an instance's memory.
const ITEMS: usize = 50;

/// What is rendered.
#[derive(Debug)]
pub enum Answer<'a> {
    /// Secrets, each with its reference as it was given.
    Secrets(&'a [(&'a str, &'a Secret)]),
    /// The secrets of a vault.
    List {
        /// The vault as it was given.
        vault: &'a str,
        /// The vault's secrets.
        items: &'a [Properties],
    },
    /// The versions of a secret.
    Versions {
        /// The secret's reference as it was given.
        reference: &'a str,
        /// The secret's versions.
        items: &'a [Properties],
    },
    /// A token.
    Token(&'a Token),
    /// The identity that a token belongs to.
    Whoami(&'a Token),
}

impl Answer<'_> {
    /// Renders the answer in parts, which are to be printed one after the other. It blocks the thread.
    pub fn render(
        &self,
        vaultlet: &Vaultlet,
        format: Format,
    ) -> Result<Vec<Zeroizing<String>>, Error> {
        vaultlet.block("rendering the answer", |operations, call| {
            let renderer = Renderer { operations, call };
            match self {
                Self::Secrets(secrets) => renderer.secrets(secrets, format),
                Self::List { vault, items } => {
                    renderer.items(&Listed::Secrets((*vault).to_owned()), items, format)
                }
                Self::Versions { reference, items } => {
                    renderer.items(&Listed::Versions((*reference).to_owned()), items, format)
                }
                Self::Token(token) => Ok(vec![renderer.token_text(token)?]),
                Self::Whoami(token) => Ok(vec![renderer.whoami(token, format)?]),
            }
        })
    }
}

/// Calls of the interface `render`, in an instance without any capability.
struct Renderer<'a> {
    operations: &'a Operations,
    call: &'a Arc<Call>,
}

impl Renderer<'_> {
    fn secrets(
        &self,
        secrets: &[(&str, &Secret)],
        format: Format,
    ) -> Result<Vec<Zeroizing<String>>, Error> {
        let (planner, call) = (&self.operations.planner, self.call);
        let mut texts = Vec::new();
        for (part, secrets) in parts(secrets, SECRETS) {
            let references: Vec<_> = secrets
                .iter()
                .map(|(reference, secret)| ((*reference).to_owned(), secret.properties().clone()))
                .collect();
            let values: Vec<_> = secrets.iter().map(|(_, secret)| secret.reveal().into()).collect();
            let values: Zeroizing<Vec<String>> = Zeroizing::new(values);
            let text = planner
                .call(call, |guest| guest.render_secrets(call, &references, &values, part, format));
            texts.push(text??.into());
        }
        Ok(texts)
    }

    fn items(
        &self,
        what: &Listed,
        items: &[Properties],
        format: Format,
    ) -> Result<Vec<Zeroizing<String>>, Error> {
        let (planner, call) = (&self.operations.planner, self.call);
        let settings = &self.operations.settings;
        let mut texts = Vec::new();
        for (part, items) in parts(items, ITEMS) {
            let text = planner.call(call, |guest| {
                guest.render_listing(call, what, settings, items, part, format)
            });
            texts.push(text??.into());
        }
        Ok(texts)
    }

    fn token_text(&self, token: &Token) -> Result<Zeroizing<String>, Error> {
        let (planner, call) = (&self.operations.planner, self.call);
        let text =
            planner.call(call, |guest| guest.render_token(call, token.reveal(), &token.properties));
        Ok(text?.into())
    }

    fn whoami(&self, token: &Token, format: Format) -> Result<Zeroizing<String>, Error> {
        let (planner, call) = (&self.operations.planner, self.call);
        let text = planner.call(call, |guest| {
            guest.render_whoami(call, &token.properties, token.holder(), format)
        });
        Ok(text??.into())
    }
}

/// Parts of so many items at most; of no items one empty part.
fn parts<T>(items: &[T], most: usize) -> impl Iterator<Item = (Part, &[T])> {
    let count = items.len().div_ceil(most).max(1);
    (0..count).map(move |at| {
        let part = Part { first: at == 0, last: at + 1 == count };
        (part, items.chunks(most).nth(at).unwrap_or_default())
    })
}
