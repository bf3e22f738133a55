//! The role that gets tokens: what it may see is what the plan names, read once.

use std::sync::Arc;

use http::Request;
use http_body_util::{BodyExt as _, Empty};
use wasmtime_wasi_http::Error as WasiError;
use zeroize::Zeroizing;

use crate::cache::Answer;
use crate::error::Error;
use crate::files::Files;
use crate::grant::Grant;
use crate::handler::{Broken, handle};
use crate::http::Client;
use crate::keys::Key;
use crate::level::Level;
use crate::planner::{CredentialPlan, Planner};
use crate::programs::Programs;
use crate::settings::Settings;

/// The variable that switches the handler on, and the header that must equal it.
const SECRET_VARIABLE: &str = "VAULTLET_ENDPOINT_SECRET";
const SECRET_HEADER: &str = "vaultlet-endpoint-secret";

/// Hands requests to broker instances.
pub(crate) struct Broker {
    level: Arc<Level>,
    grant: Arc<Grant>,
    secret: Zeroizing<String>,
}

impl Broker {
    pub(crate) async fn new(
        level: Arc<Level>,
        planner: &Planner,
        settings: &Settings,
        client: &Arc<Client>,
    ) -> Result<Self, Error> {
        let (needs, mut values) = planner.of(settings).await?;
        let CredentialPlan { servers, files, keys, programs, tells, .. } = needs;
        // A password opens a key, which only the host does.
        let is_password =
            |name: &String| keys.iter().any(|key| key.password_variable.as_ref() == Some(name));
        values.retain(|(name, value)| !value.is_empty() && !is_password(name));
        let secret = random_secret()?;
        let mut variables = settings.of_guest();
        variables.extend(values);
        variables.push((SECRET_VARIABLE.into(), secret.to_string()));
        let key = |planned: crate::planner::Key| {
            let password = planned.password_variable.as_ref();
            let password = password.and_then(|name| settings.environment.get(name));
            Arc::new(Key {
                name: planned.name,
                path: planned.path,
                password: password.map(Zeroizing::new),
                password_variable: planned.password_variable,
            })
        };
        let grant = Arc::new(Grant {
            variables,
            servers,
            client: Some(Arc::clone(client)),
            identity: None,
            files: Files { planned: files, given: settings.user_assertion.clone() },
            keys: keys.into_iter().map(key).collect(),
            programs: Programs { planned: programs, environment: settings.environment.clone() },
            on_prompt: settings.on_prompt.clone().filter(|_| tells),
        });
        Ok(Self { level, grant, secret })
    }

    /// One request to the component's handler.
    pub(crate) async fn ask(&self, mut parts: http::request::Parts) -> Result<Answer, Broken> {
        let mut secret = http::HeaderValue::from_str(&self.secret)
            .map_err(|_| Broken::from("has a malformed secret"))?;
        secret.set_sensitive(true);
        parts.headers.insert(SECRET_HEADER, secret);
        let nothing =
            Empty::new().map_err(|never: std::convert::Infallible| WasiError::from(never));
        handle(&self.level, &self.grant, Request::from_parts(parts, nothing.boxed_unsync())).await
    }
}

/// 64 hexadecimal digits.
pub(crate) fn random_secret() -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut *bytes)
        .map_err(|_| Error::internal("the system has no random numbers"))?;
    let mut digits = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        digits.extend(char::from_digit(digit.into(), 16));
    }
    Ok(digits)
}
