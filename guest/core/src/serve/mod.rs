//! Everything that the component answers over HTTP, by role: tokens for the host's other roles
//! (`canonical`), Azure's own protocols for child processes (`lend`), secrets on a stock runtime
//! (`read`). A caller that cannot show the role's secret learns nothing, not even what there is.

mod canonical;
mod http;
pub mod lend;
mod lifetime;
mod read;

pub use crate::endpoint::SECRET_HEADER;
use crate::{call::Memory, context::Context, settings::Role};
pub use http::{Incoming, Reply};

/// Serves one request, as the role of this instance does.
pub fn serve<C: Context>(context: &C, memory: &Memory, incoming: &Incoming) -> Reply {
    match Role::read(&|name| context.variable(name)) {
        Role::Front(secret) => lend::serve(context, memory, incoming, &secret),
        Role::Broker(secret) => canonical::serve(context, memory, incoming, &secret),
        Role::SecretService(secret) => read::serve(context, memory, incoming, &secret),
        Role::Reader => read::not_served(),
    }
}
