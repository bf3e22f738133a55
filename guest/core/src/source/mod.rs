//! The credential sources: one file each, in the order of `source_table.rs`.
//!
//! Protocols that several sources share are modules of their own: `local` (identity endpoints),
//! `entra` (the token authority) and `login` (developers' tools). From the ground up: `denial`,
//! `answer` · `local` · `entra`, `login` · `found` · the sources · `chain`.

mod answer;
mod appservice;
mod arc;
mod azd;
mod azurecli;
mod azureml;
mod chain;
mod cloudshell;
mod denial;
mod devicecode;
mod entra;
mod environment;
mod exchange;
mod found;
mod imds;
mod local;
mod login;
mod managed;
mod obo;
mod onbehalfof;
mod pipelines;
mod powershell;
mod servicefabric;
mod spark;
mod workload;

use crate::{
    settings::{Label, Lookup, Settings},
    source_table::for_each_source,
};
use found::Found;

pub(crate) use chain::token;
pub(crate) use chain::{SERVICE, plan, unusable};

macro_rules! sources {
    ($($when:ident $class:ident $label:ident $module:ident $name:literal $($alias:literal)?;)*) => {
        impl Label {
            /// The environment variables that decide whether this source is used, and how.
            pub(crate) fn variables(self) -> &'static [&'static str] {
                match self { $(Self::$label => $module::VARIABLES,)* }
            }

            /// Looks for this source in variables and settings, without any request.
            fn find(self, variables: Lookup<'_>, settings: &Settings) -> Found {
                match self { $(Self::$label => $module::find(variables, settings),)* }
            }
        }
    };
}

for_each_source!(sources);
