//! The text that the commands of the command line print. What only the component can know it renders, too, in an
//! instance without any capability, and secrets are rendered by the same code outside of it: so `vaultlet.wasm` and
//! the native program print the same.
//!
//! This is for the command line only, and no part of this crate's stable interface.

use std::sync::Arc;

use vaultlet_core::command::render::{self, Item};
use vaultlet_core::vault;
use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::{render::Part, types::Listed};
use crate::call::Call;
use crate::error::Error;
use crate::handle::{Operations, Vaultlet};
use crate::secret::{Properties, Secret};
use crate::token::Token;

pub use crate::bindings::exports::vaultlet::keyvault::render::Format;

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
        if let Self::Secrets(items) = self {
            return Ok(vec![secrets(items, format)?]);
        }
        vaultlet.block("rendering the answer", |source, call| {
            let renderer = Renderer { operations: source.operations()?, call };
            match self {
                Self::Secrets(_) => Ok(Vec::new()),
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

/// A secret, or a member of it, as `vaultlet get -o json` prints it, on one line.
pub fn secret_json(reference: &str, secret: &Secret, member: Option<&str>) -> Zeroizing<String> {
    let properties = known(secret.properties());
    let value = member.unwrap_or(secret.reveal());
    let item = Item { reference, properties: &properties, value };
    // Only variables of a shell can be refused.
    render::secrets(&[item], render::Part::WHOLE, render::Format::Json).unwrap_or_default()
}

/// Renders secrets outside of the component, as the component does: where they came from the agent none is loaded.
fn secrets(secrets: &[(&str, &Secret)], format: Format) -> Result<Zeroizing<String>, Error> {
    let format = match format {
        Format::Value => render::Format::Value,
        Format::Json => render::Format::Json,
        Format::Env => render::Format::Env,
        Format::Table => render::Format::Table,
    };
    let properties: Vec<_> = secrets.iter().map(|(_, secret)| known(secret.properties())).collect();
    let items = secrets.iter().zip(&properties);
    let items: Vec<_> = items
        .map(|((reference, secret), properties)| Item {
            reference,
            properties,
            value: secret.reveal(),
        })
        .collect();
    Ok(render::secrets(&items, render::Part::WHOLE, format)?)
}

fn known(properties: &Properties) -> vault::Properties {
    let Properties {
        vault,
        name,
        version,
        content_type,
        enabled,
        created,
        updated,
        not_before,
        expires,
        recovery_level,
        recoverable_days,
        managed,
        kid,
        tags,
    } = properties.clone();
    vault::Properties {
        vault,
        name,
        version,
        content_type,
        enabled,
        created,
        updated,
        not_before,
        expires,
        recovery_level,
        recoverable_days,
        managed,
        kid,
        tags,
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
