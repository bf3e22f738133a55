//! The world `provider`: secrets and tokens as resources. What it asks WASI for is in `wasi`, or in `p3`.

use alloc::{rc::Rc, string::String};

use crate::{
    Provider,
    bindings::exports::vaultlet::keyvault::{credentials, secrets, simple, types},
    calls,
    convert::{to_holder, to_properties, to_token_properties},
    wasi::INSTANCE,
};
use vaultlet_core::{token::Token, vault::Secret};

pub(crate) struct SecretHandle(Secret);

pub(crate) struct TokenHandle(Rc<Token>);

impl secrets::Guest for Provider {
    type Secret = SecretHandle;

    fn get(
        reference: String,
        identity: Option<types::UserAssigned>,
    ) -> Result<secrets::Secret, types::Error> {
        INSTANCE
            .call(|call| calls::get(call, &reference, identity))
            .map(|secret| secrets::Secret::new(SecretHandle(secret)))
    }

    fn list_page(
        what: types::Listed,
        marker: Option<String>,
        identity: Option<types::UserAssigned>,
    ) -> Result<types::Page, types::Error> {
        INSTANCE.call(|call| calls::list_page(call, what, marker.as_deref(), identity))
    }
}

impl secrets::GuestSecret for SecretHandle {
    fn properties(&self) -> types::Properties {
        to_properties(self.0.properties.clone())
    }

    fn reveal(&self) -> String {
        self.0.value.reveal().into()
    }
}

impl simple::Guest for Provider {
    fn get_secret(reference: String) -> Result<String, types::Error> {
        INSTANCE
            .call(|call| calls::get(call, &reference, None))
            .map(|secret| secret.value.reveal().into())
    }
}

impl credentials::Guest for Provider {
    type Token = TokenHandle;

    fn get_token(request: types::TokenRequest) -> Result<credentials::Token, types::Error> {
        INSTANCE
            .call(|call| calls::get_token(call, request))
            .map(|token| credentials::Token::new(TokenHandle(token)))
    }
}

impl credentials::GuestToken for TokenHandle {
    fn properties(&self) -> types::TokenProperties {
        to_token_properties(&self.0)
    }

    fn holder(&self) -> types::Holder {
        to_holder(self.0.holder())
    }

    fn reveal(&self) -> String {
        self.0.secret.reveal().into()
    }
}
