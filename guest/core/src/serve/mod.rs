//! The HTTP server of the component, by role: tokens for the host's other roles (`canonical`),
//! tokens for child processes by Azure's own protocols (`lend`), secrets on a stock runtime
//! (`read`). A caller without the role's secret learns nothing, not even which paths exist.

mod canonical;
mod http;
pub mod lend;
mod lifetime;
mod read;

pub use crate::endpoint::SECRET_HEADER;
use crate::{call::Memory, context::Context, settings::Role};
pub use http::{Incoming, Reply};

/// Serves one request in the role of this instance.
pub fn serve<C: Context>(context: &C, memory: &Memory, incoming: &Incoming) -> Reply {
    match Role::read(&|name| context.variable(name)) {
        Role::Front(secret) => lend::serve(context, memory, incoming, &secret),
        Role::Broker(secret) => canonical::serve(context, memory, incoming, &secret),
        Role::SecretService(secret) => read::serve(context, memory, incoming, &secret),
        Role::Reader => read::not_served(),
    }
}
