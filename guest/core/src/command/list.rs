//! `list` and `versions`.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use zeroize::Zeroizing;

use super::{Output, shown, usage};
use crate::{
    call::{Call, Memory},
    context::Context,
    error::Error,
    vault::{self, Listed},
    words::{date, json},
};

/// What to list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List {
    is_versions: bool,
    /// A vault, or the reference of a secret.
    of: String,
    output: Output,
}

impl List {
    /// From what stands after the command, and `--vault`.
    pub(super) fn new(
        is_versions: bool,
        word: Option<String>,
        vault: Option<String>,
        output: Output,
    ) -> Result<Self, Error> {
        let is_name = |word: &str| is_versions && !word.contains("://") && !word.starts_with('@');
        let of = match (word, vault) {
            (Some(name), Some(vault)) if is_name(&name) => within(&vault, &name),
            (Some(_), Some(_)) => return Err(usage("`--vault` contradicts the reference")),
            (Some(name), None) if is_name(&name) => {
                return Err(usage("`versions` needs a reference, or a name and `--vault`"));
            }
            (Some(of), None) => of,
            (None, Some(vault)) if !is_versions => vault,
            _ => return Err(usage("`list` needs a vault, `versions` a secret")),
        };
        if output == Output::Env {
            return Err(usage("`list` and `versions` print `table`, `json` or `value`"));
        }
        Ok(Self { is_versions, of, output })
    }

    pub(super) fn output(&self) -> Output {
        self.output
    }

    pub(super) fn run<C: Context>(
        &self,
        context: &C,
        memory: &Memory,
    ) -> Result<Zeroizing<String>, Error> {
        let call = Call::new(context, memory)?;
        let listed = match self.is_versions {
            true => Listed::versions(&self.of, call.settings()),
            false => Listed::secrets(&self.of, call.settings()),
        }?;
        let items = vault::all(&call, &listed, None)?;
        if self.output == Output::Json {
            let items: Vec<_> =
                items.iter().map(|item| shown(&listed.reference(item), item, None)).collect();
            let mut out = json::array(&items);
            out.push('\n');
            return Ok(out);
        }
        let mut out = String::new();
        if self.output == Output::Table {
            let name = if self.is_versions { "VERSION" } else { "NAME" };
            row(&mut out, ["ENABLED", "CREATED", "EXPIRES", name]);
        }
        for item in &items {
            let name = item.version.as_deref().unwrap_or(&item.name);
            if self.output == Output::Value {
                out.push_str(name);
                out.push('\n');
                continue;
            }
            let enabled = match item.enabled {
                Some(true) => "yes",
                Some(false) => "no",
                None => "-",
            };
            let moment = |at: Option<i64>| at.map_or_else(|| "-".to_owned(), date::text);
            row(&mut out, [enabled, &moment(item.created), &moment(item.expires), name]);
        }
        Ok(out.into())
    }
}

fn row(out: &mut String, [enabled, created, expires, name]: [&str; 4]) {
    out.push_str(&format!("{enabled:7}  {created:20}  {expires:20}  {name}\n"));
}

/// The reference of a secret of a vault, which is given in any of its forms.
fn within(vault: &str, name: &str) -> String {
    let vault = vault.trim_end_matches('/');
    match vault.split_once("://") {
        None => format!("akv://{vault}/{name}"),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("akv") => format!("{vault}/{name}"),
        Some(_) => format!("{vault}/secrets/{name}"),
    }
}
