//! The credential sources. The table below is the order; one source is one file, and what several
//! of them speak has a folder or file of its own: `local` endpoints, the authority (`entra`),
//! developers' `login`s.

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
pub(crate) use chain::{SERVICE, plan};

macro_rules! sources {
    ($($when:ident $class:ident $label:ident $module:ident $name:literal $($alias:literal)?;)*) => {
        impl Label {
            /// The environment variables that decide whether this source is used, and how.
            pub(crate) fn variables(self) -> &'static [&'static str] {
                match self { $(Self::$label => $module::VARIABLES,)* }
            }

            fn find(self, variables: Lookup<'_>, settings: &Settings) -> Found {
                match self { $(Self::$label => $module::find(variables, settings),)* }
            }
        }
    };
}

for_each_source!(sources);
