//! The world `embedded`: each operation in one call, over the interface `host`.

mod context;

use alloc::{string::String, vec::Vec};

use crate::{
    Provider,
    bindings::exports::vaultlet::keyvault::{operations, plan, types},
    calls,
    convert::{to_error, to_holder, to_properties, to_server, to_token_properties},
    instance::Instance,
};
use context::HostContext;
use vaultlet_core::{
    planner,
    secret::SecretString,
    serve::{self, Incoming, Reply},
    token::Token,
    vault::Secret,
};

static INSTANCE: Instance<HostContext> = Instance::new();

impl operations::Guest for Provider {
    fn route(
        reference: String,
        settings: Vec<plan::Variable>,
    ) -> Result<operations::VaultRoute, types::Error> {
        planner::route(&reference, &settings).map(to_route).map_err(to_error)
    }

    fn get(
        reference: String,
        identity: Option<types::UserAssigned>,
    ) -> Result<operations::Secret, types::Error> {
        INSTANCE.call(|call| calls::get(call, &reference, identity)).map(to_secret)
    }

    fn list_page(
        what: types::Listed,
        marker: Option<String>,
        identity: Option<types::UserAssigned>,
    ) -> Result<types::Page, types::Error> {
        INSTANCE.call(|call| calls::list_page(call, what, marker.as_deref(), identity))
    }

    fn get_token(request: types::TokenRequest) -> Result<operations::Token, types::Error> {
        INSTANCE.call(|call| calls::get_token(call, request)).map(|token| to_token(&token))
    }

    fn serve(request: operations::Incoming) -> operations::Reply {
        let (context, memory) = INSTANCE.get();
        to_reply(serve::serve(context, memory, &incoming(request)))
    }
}

fn to_route(route: planner::Route) -> operations::VaultRoute {
    operations::VaultRoute { server: to_server(route.server), prefix: route.prefix }
}

fn to_secret(secret: Secret) -> operations::Secret {
    let value = secret.value.reveal().into();
    operations::Secret { properties: to_properties(secret.properties), value }
}

fn to_token(token: &Token) -> operations::Token {
    operations::Token {
        properties: to_token_properties(token),
        holder: to_holder(token.holder()),
        value: token.secret.reveal().into(),
    }
}

fn incoming(request: operations::Incoming) -> Incoming {
    let operations::Incoming { is_get, target, host, headers } = request;
    let headers = headers.into_iter().map(|(name, value)| (name, SecretString::new(value)));
    Incoming { is_get, target, host, headers: headers.collect() }
}

fn to_reply(mut reply: Reply) -> operations::Reply {
    let headers = reply.headers.into_iter().map(|(name, value)| (name.into(), value));
    operations::Reply {
        status: reply.status,
        headers: headers.collect(),
        body: core::mem::take(&mut *reply.body),
    }
}
