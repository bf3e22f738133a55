//! The broker role: gets tokens. The broker may see what the plan of the credentials names, which
//! is read once, when the handle is opened.

use std::sync::Arc;

use zeroize::{Zeroize as _, Zeroizing};

use crate::bindings::exports::vaultlet::keyvault::plan::Key as PlannedKey;
use crate::call::Call;
use crate::error::Error;
use crate::grant::{Grant, Role};
use crate::instance::{Incoming, Pool};
use crate::internal::files::Files;
use crate::internal::{
    IDENTITY_HOST, Key, Keys, Programs, StoredResponse, TokenQuery, TokenSource,
};
use crate::net::{Client, Failure, Response};
use crate::settings::{Environment, Settings};

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
    pub(crate) fn new(
        pool: Arc<Pool>,
        planner: &Planner,
        settings: &Settings,
        client: &Arc<Client>,
        call: &Arc<Call>,
    ) -> Result<Self, Error> {
        let (plan, mut values) = planner.credentials(settings, call)?;
        crate::phases::mark("credentials planned");
        let CredentialPlan { servers, files, keys, programs, tells, .. } = plan;
        // A password opens a key file, which only the host does.
        let is_password =
            |name: &String| keys.iter().any(|key| key.password_variable.as_ref() == Some(name));
        values.retain(|(name, value)| !value.is_empty() && !is_password(name));
        let secret = random_secret()?;
        let mut variables = settings.component_variables()?;
        variables.extend(values);
        variables.push((SECRET_VARIABLE.into(), secret.to_string()));
        let environment = &settings.environment;
        let keys = keys.into_iter().map(|key| with_password(key, environment).map(Arc::new));
        let keys = keys.collect::<Result<_, _>>()?;
        let programs = Programs { planned: programs, environment: environment.clone() };
        let grant = Arc::new(Grant {
            role: Role::Broker,
            variables: variables.into(),
            servers,
            client: Some(Arc::clone(client)),
            services: vec![Arc::new(Keys(keys)), Arc::new(programs)],
            files: Arc::new(Files {
                planned: files,
                environment: environment.clone(),
                given: settings.user_assertion.clone(),
            }),
            on_prompt: settings.on_prompt.clone().filter(|_| tells),
        });
        Ok(Self { pool, grant, secret })
    }
}

impl TokenSource for Broker {
    fn request(&self, query: &TokenQuery, call: &Call) -> Result<StoredResponse, Failure> {
        let TokenQuery { is_get, target, mut headers } = query.clone();
        headers.push((SECRET_HEADER.into(), self.secret.to_string()));
        let host = Some(IDENTITY_HOST.to_owned());
        let mut incoming = Incoming { is_get, target, host, headers };
        let call = Arc::new(call.part());
        let served = self.pool.call(&self.grant, &call, |guest| {
            let reply = guest.serve(&call, &incoming)?;
            Ok((reply, guest.take_failure()))
        });
        crate::phases::mark("token: broker done");
        incoming.headers.iter_mut().for_each(|(_, value)| value.zeroize());
        let (reply, cause) = served.map_err(|error| {
            if call.check().is_err() {
                return Failure::CallEnded(Box::new(error));
            }
            if error.is_exhausted() {
                return Failure::Exhausted(Box::new(error));
            }
            Failure::Protocol(format!("the identity endpoint failed: {}", error.message))
        })?;
        let headers = reply.headers.into_iter().map(|(name, value)| (name, value.into_bytes()));
        let response = Response {
            status: reply.status,
            headers: headers.collect(),
            body: reply.body.into_bytes(),
        };
        let mut stored = StoredResponse { response, cause: None };
        stored.cause = cause.filter(|_| !stored.is_success());
        Ok(stored)
    }
}

fn with_password(planned: PlannedKey, environment: &Environment) -> Result<Key, Error> {
    let password = match &planned.password_variable {
        Some(name) => environment.text(name)?.map(Zeroizing::new),
        None => None,
    };
    Ok(Key {
        name: planned.name,
        path: environment.path_of(&planned.path),
        password,
        password_variable: planned.password_variable,
    })
}
