//! A context whose servers refuse every request, and variables of sources to ask in it.

use super::*;
use crate::{
    context::{Context, FileError, Request, Response, SendError},
    words::scrub::Scrubbed,
};
use core::{cell::RefCell, time::Duration};

pub(super) const APP: [(&str, &str); 3] = [
    ("AZURE_CLIENT_ID", GUID),
    ("AZURE_TENANT_ID", "contoso.example"),
    ("AZURE_CLIENT_SECRET", "client-s3cret"),
];
pub(super) const SPARK: [(&str, &str); 9] = [
    ("AZUREML_DATAPREP_TOKEN_PROVIDER", "sparkobo"),
    ("AZUREML_OBO_CANARY_TOKEN", "c4nary"),
    ("AZUREML_OBO_SERVICE_ENDPOINT", "obo.example"),
    ("AZUREML_SYNAPSE_CLUSTER_IDENTIFIER", "cluster"),
    ("AZUREML_SYNAPSE_TOKEN_SERVICE_ENDPOINT", "synapse.example"),
    ("AZUREML_ARM_SUBSCRIPTION", "sub"),
    ("AZUREML_ARM_RESOURCEGROUP", "group"),
    ("AZUREML_ARM_WORKSPACE_NAME", "space"),
    ("AZUREML_OBO_USER_TOKEN_FOR_SPARK_RETRIEVAL_API", "api"),
];
pub(super) const PIPELINES: [(&str, &str); 6] = [
    ("VAULTLET_IDENTITY", "azure-pipelines"),
    ("AZURESUBSCRIPTION_CLIENT_ID", GUID),
    ("AZURESUBSCRIPTION_TENANT_ID", "contoso.example"),
    ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", GUID),
    ("SYSTEM_ACCESSTOKEN", "p1peline"),
    ("SYSTEM_OIDCREQUESTURI", "https://dev.azure.example/oidc"),
];
pub(super) const WORKLOAD: [(&str, &str); 3] = [
    ("AZURE_CLIENT_ID", GUID),
    ("AZURE_TENANT_ID", "contoso.example"),
    ("AZURE_FEDERATED_TOKEN_FILE", "/run/token"),
];
pub(super) const APP_SERVICE: [(&str, &str); 2] =
    [("IDENTITY_ENDPOINT", "https://127.0.0.1:1/i"), ("IDENTITY_HEADER", "msi-s3cret")];

pub(super) type Variables<'a> = &'a [(&'a str, &'a str)];

/// A context whose servers refuse every request.
struct Refusing(ScriptedContext, RefCell<Vec<String>>);

impl Context for Refusing {
    fn send(&self, request: Request) -> Result<Response, SendError> {
        let headers = request.headers.iter().map(|(name, value)| (*name, value.reveal()));
        let headers: Vec<_> = headers.collect();
        let body = request.body.as_ref().map(SecretString::reveal).unwrap_or_default();
        self.1.borrow_mut().push(format!("{} {headers:?} {body}", request.url));
        Ok(Response { status: 400, headers: Vec::new(), body: Vec::new().into() })
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.variable(name)
    }

    fn now(&self) -> i64 {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn wait(&self, duration: Duration) {
        self.0.wait(duration);
    }

    fn random(&self, bytes: &mut [u8]) {
        self.0.random(bytes);
    }

    fn read_file(&self, path: &str, max: usize) -> Result<Scrubbed<Vec<u8>>, FileError> {
        self.0.read_file(path, max)
    }

    fn is_file(&self, path: &str) -> bool {
        self.0.is_file(path)
    }

    fn has_host_services(&self) -> bool {
        self.0.has_host_services()
    }

    fn can_prompt(&self) -> bool {
        self.0.can_prompt()
    }

    fn prompt(&self, line: &str) {
        self.0.prompt(line);
    }
}

/// Asks for a token that nobody gives, and returns what was sent and the error.
pub(super) fn ask_in_vain(variables: &[(&str, &str)]) -> (Vec<String>, Error) {
    let script = ScriptedContext::new(variables).file("/run/token", "f3derated.t0k.en");
    let world = Refusing(script, RefCell::default());
    let memory = Memory::default();
    let request = TokenRequest::parse("https://vault.azure.net", None, None, None).unwrap();
    let result = Call::new(&world, &memory).and_then(|call| token(&call, &request));
    (world.1.take(), result.err().unwrap())
}

/// What was sent, and how the call ended.
pub(super) fn outcome(variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let (sent, error) = ask_in_vain(variables);
    (sent, error.line())
}
