//! The broker role: gets tokens. The broker may see what the plan of the credentials names, which
//! is read once, when the handle is opened.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{HeaderValue, Request, request};
use http_body_util::{BodyExt as _, Empty};
use wasmtime_wasi_http::Error as WasiError;
use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::plan::Key as PlannedKey;
use crate::error::Error;
use crate::grant::{Grant, Role};
use crate::instance::Pool;
use crate::internal::files::Files;
use crate::internal::{BufferedResponse, Key, Keys, Programs, TokenSource};
use crate::net::Client;
use crate::settings::{Environment, Settings};

use super::handler::handle;
use super::planner::{CredentialPlan, Planner};
use super::shared_secret::random_secret;

/// The variable that switches the component's handler on, and the header whose value must equal it.
const SECRET_VARIABLE: &str = "VAULTLET_ENDPOINT_SECRET";
const SECRET_HEADER: &str = "vaultlet-endpoint-secret";

/// Hands requests for tokens to instances of the broker role.
pub(crate) struct Broker {
    pool: Arc<Pool>,
    grant: Arc<Grant>,
    secret: Zeroizing<String>,
}

impl Broker {
    pub(crate) async fn new(
        pool: Arc<Pool>,
        planner: &Planner,
        settings: &Settings,
        client: &Arc<Client>,
    ) -> Result<Self, Error> {
        let (plan, mut values) = planner.credentials(settings).await?;
        let CredentialPlan { servers, files, keys, programs, tells, .. } = plan;
        // A password opens a key file, which only the host does.
        let is_password =
            |name: &String| keys.iter().any(|key| key.password_variable.as_ref() == Some(name));
        values.retain(|(name, value)| !value.is_empty() && !is_password(name));
        let secret = random_secret()?;
        let mut variables = settings.component_variables();
        variables.extend(values);
        variables.push((SECRET_VARIABLE.into(), secret.to_string()));
        let environment = &settings.environment;
        let keys = keys.into_iter().map(|key| Arc::new(with_password(key, environment))).collect();
        let programs = Programs { planned: programs, environment: environment.clone() };
        let grant = Arc::new(Grant {
            role: Role::Broker,
            variables,
            servers,
            client: Some(Arc::clone(client)),
            services: vec![Arc::new(Keys(keys)), Arc::new(programs)],
            files: Arc::new(Files { planned: files, given: settings.user_assertion.clone() }),
            on_prompt: settings.on_prompt.clone().filter(|_| tells),
        });
        Ok(Self { pool, grant, secret })
    }

    async fn handle(&self, mut parts: request::Parts) -> Result<BufferedResponse, String> {
        let mut secret =
            HeaderValue::from_str(&self.secret).map_err(|_| "has a malformed secret")?;
        secret.set_sensitive(true);
        parts.headers.insert(SECRET_HEADER, secret);
        let empty = Empty::new().map_err(|never: Infallible| WasiError::from(never));
        let request = Request::from_parts(parts, empty.boxed_unsync());
        handle(&self.pool, &self.grant, request).await
    }
}

impl TokenSource for Broker {
    fn request(
        &self,
        parts: request::Parts,
    ) -> Pin<Box<dyn Future<Output = Result<BufferedResponse, String>> + Send + '_>> {
        Box::pin(self.handle(parts))
    }
}

fn with_password(planned: PlannedKey, environment: &Environment) -> Key {
    let password = planned.password_variable.as_ref().and_then(|name| environment.get(name));
    Key {
        name: planned.name,
        path: planned.path,
        password: password.map(Zeroizing::new),
        password_variable: planned.password_variable,
    }
}
