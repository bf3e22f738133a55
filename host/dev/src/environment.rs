//! The environment variables of a job: for the identity, the proxy and the CA; and the variables
//! that have to be removed.

use std::{ffi::OsString, io};

use secrecy::ExposeSecret as _;

use crate::{
    ca::CaFiles,
    clock,
    directory::{
        federation::{AUDIENCE, Subject},
        who::{APPLICATION, MANAGED, SUBSCRIPTION, TENANT, USER, USER_NAME},
    },
    error::StartError,
    files::Folder,
    identity::{CONNECTION, Form, paths, spark},
    java, limits,
    state::State,
};

/// Variables that would give a child process another identity.
pub(crate) const FOREIGN: &[&str] = &[
    "AZUREML_ARM_PROJECT_NAME",
    "AZUREML_ARM_RESOURCEGROUP",
    "AZUREML_ARM_SUBSCRIPTION",
    "AZUREML_ARM_WORKSPACE_NAME",
    "AZUREML_DATAPREP_TOKEN_PROVIDER",
    "AZUREML_OBO_CANARY_TOKEN",
    "AZUREML_OBO_ENABLED",
    "AZUREML_OBO_SERVICE_ENDPOINT",
    "AZUREML_OBO_USER_TOKEN_FOR_SPARK_RETRIEVAL_API",
    "AZUREML_RUN_ID",
    "AZUREML_RUN_TOKEN_EXPIRY",
    "AZUREML_SYNAPSE_CLUSTER_IDENTIFIER",
    "AZUREML_SYNAPSE_TOKEN_SERVICE_ENDPOINT",
    "AZURESUBSCRIPTION_CLIENT_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "AZURESUBSCRIPTION_TENANT_ID",
    "AZURE_ADDITIONALLY_ALLOWED_TENANTS",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH",
    "AZURE_KUBERNETES_CA_DATA",
    "AZURE_KUBERNETES_CA_FILE",
    "AZURE_KUBERNETES_SNI_NAME",
    "AZURE_KUBERNETES_TOKEN_PROXY",
    "AZURE_PASSWORD",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_REGIONAL_AUTHORITY_NAME",
    "AZURE_TENANT_ID",
    "AZURE_TOKEN_CREDENTIALS",
    "AZURE_USERNAME",
    "DEFAULT_IDENTITY_CLIENT_ID",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "OBO_ENDPOINT",
    "OID",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_OIDCREQUESTURI",
    "TID",
    "VAULTLET_ARC_KEY_FOLDER",
    "VAULTLET_CLIENT_ID",
    "VAULTLET_EXCLUDE",
    "VAULTLET_IDENTITY",
    "VAULTLET_OBJECT_ID",
    "VAULTLET_RESOURCE_ID",
    "VAULTLET_USER_ASSERTION_FILE",
];

/// The values from which the variables of an identity are composed.
pub(crate) struct IdentityVariables<'a> {
    pub(crate) state: &'a State,
    pub(crate) folder: &'a Folder,
    /// Origin of the identity endpoints.
    pub(crate) origin: &'a str,
    /// Origin of the loopback authority with TLS.
    pub(crate) authority: &'a str,
    /// Origin of Service Fabric's endpoint.
    pub(crate) fabric: &'a str,
    /// Thumbprint of the certificate of Service Fabric's endpoint.
    pub(crate) thumbprint: &'a str,
    /// Private key and client certificate of the application in PEM, if the form needs them.
    pub(crate) certificate: Option<&'a str>,
}

type Variables = Vec<(String, String)>;

impl IdentityVariables<'_> {
    /// The variables of a form. Writes the files that they name.
    pub(crate) fn for_form(&self, form: Form) -> Result<Variables, StartError> {
        self.list(form)
            .map(|all| all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            .map_err(StartError::system("writing the files of an identity"))
    }

    /// The variable that names the endpoint which acts on behalf of the job's user.
    pub(crate) fn obo(&self) -> (String, String) {
        ("OBO_ENDPOINT".to_owned(), format!("{}{}", self.origin, paths::OBO))
    }

    fn list(&self, form: Form) -> io::Result<Vec<(&'static str, String)>> {
        let endpoints = &self.state.endpoints;
        let at = |path| format!("{}{path}", self.origin);
        let application = self.state.authority.registry.application();
        let secret = endpoints.secret().to_owned();
        let client = |rest: Vec<(&'static str, String)>| {
            let ids = [
                ("AZURE_CLIENT_ID", APPLICATION.app_id.to_owned()),
                ("AZURE_TENANT_ID", TENANT.to_owned()),
            ];
            ids.into_iter().chain(rest).collect::<Vec<_>>()
        };
        let choose = |label: &str| ("VAULTLET_IDENTITY", label.to_owned());
        Ok(match form {
            Form::AzureMl => vec![
                ("MSI_ENDPOINT", at(paths::AZURE_ML)),
                ("MSI_SECRET", secret),
                ("DEFAULT_IDENTITY_CLIENT_ID", MANAGED.app_id.to_owned()),
            ],
            Form::Spark => {
                let host = self.authority.trim_start_matches("https://").to_owned();
                let expiry = clock::now().saturating_add(limits::FEDERATED_TOKEN_LIFETIME);
                vec![
                    ("AZUREML_DATAPREP_TOKEN_PROVIDER", "sparkobo".to_owned()),
                    ("AZUREML_OBO_CANARY_TOKEN", secret),
                    ("AZUREML_OBO_SERVICE_ENDPOINT", spark::SERVICE.to_owned()),
                    ("AZUREML_SYNAPSE_CLUSTER_IDENTIFIER", spark::CLUSTER.to_owned()),
                    ("AZUREML_SYNAPSE_TOKEN_SERVICE_ENDPOINT", host),
                    ("AZUREML_ARM_SUBSCRIPTION", SUBSCRIPTION.to_owned()),
                    ("AZUREML_ARM_RESOURCEGROUP", spark::GROUP.to_owned()),
                    ("AZUREML_ARM_WORKSPACE_NAME", spark::WORKSPACE.to_owned()),
                    ("AZUREML_ARM_PROJECT_NAME", "local".to_owned()),
                    ("AZUREML_RUN_ID", "local".to_owned()),
                    ("AZUREML_RUN_TOKEN_EXPIRY", expiry.to_string()),
                    ("OID", USER.object_id.to_owned()),
                    ("TID", TENANT.to_owned()),
                ]
            }
            Form::AppService => {
                vec![("IDENTITY_ENDPOINT", at(paths::APP_SERVICE)), ("IDENTITY_HEADER", secret)]
            }
            Form::Imds => vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", self.origin.to_owned())],
            Form::AzureArc => vec![
                ("IDENTITY_ENDPOINT", at(paths::AZURE_ARC)),
                ("IMDS_ENDPOINT", self.origin.to_owned()),
                ("VAULTLET_ARC_KEY_FOLDER", endpoints.agent.folder().display().to_string()),
            ],
            Form::ServiceFabric => vec![
                ("IDENTITY_ENDPOINT", format!("{}{}", self.fabric, paths::SERVICE_FABRIC)),
                ("IDENTITY_HEADER", secret),
                ("IDENTITY_SERVER_THUMBPRINT", self.thumbprint.to_owned()),
            ],
            Form::CloudShell => vec![("MSI_ENDPOINT", at(paths::CLOUD_SHELL))],
            Form::TokenExchange => {
                let mut all = client(self.federated()?);
                all.push(choose("managed-identity"));
                all
            }
            Form::WorkloadIdentity => client(self.federated()?),
            Form::ClientSecret => {
                client(vec![("AZURE_CLIENT_SECRET", application.secret().to_owned())])
            }
            Form::ClientCertificate => {
                let pem = self.certificate.unwrap_or_default();
                let path = self.folder.write("client.pem", pem.as_bytes())?;
                client(vec![("AZURE_CLIENT_CERTIFICATE_PATH", path.display().to_string())])
            }
            Form::UserPassword => client(vec![
                ("AZURE_USERNAME", USER_NAME.to_owned()),
                ("AZURE_PASSWORD", application.password().to_owned()),
            ]),
            Form::OnBehalfOf => {
                let audience = format!("api://{}", APPLICATION.app_id);
                let token = endpoints.issuer.issue(&USER, &audience).ok_or_else(no_random)?;
                let path = self.folder.write("user-assertion", token.expose().as_bytes())?;
                client(vec![
                    ("AZURE_CLIENT_SECRET", application.secret().to_owned()),
                    ("VAULTLET_USER_ASSERTION_FILE", path.display().to_string()),
                    choose("on-behalf-of"),
                ])
            }
            Form::DeviceCode => client(vec![choose("device-code")]),
            Form::AzurePipelines => vec![
                ("AZURESUBSCRIPTION_CLIENT_ID", APPLICATION.app_id.to_owned()),
                ("AZURESUBSCRIPTION_TENANT_ID", TENANT.to_owned()),
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", CONNECTION.to_owned()),
                ("SYSTEM_ACCESSTOKEN", endpoints.pipeline_token().to_owned()),
                ("SYSTEM_OIDCREQUESTURI", format!("{}{}", self.authority, paths::AZURE_PIPELINES)),
                choose("azure-pipelines"),
            ],
        })
    }

    /// The variables that the webhook of a Kubernetes cluster sets.
    /// <https://azure.github.io/azure-workload-identity/docs/installation/mutating-admission-webhook.html>
    fn federated(&self) -> io::Result<Vec<(&'static str, String)>> {
        let (subject, lifetime) = (Subject::Workload.name(), limits::FEDERATED_TOKEN_LIFETIME);
        let token = self.state.authority.federation.token(subject, AUDIENCE, lifetime);
        let token = token.ok_or_else(no_random)?;
        let path = self.folder.write("federated-token", token.expose_secret().as_bytes())?;
        Ok(vec![
            ("AZURE_FEDERATED_TOKEN_FILE", path.display().to_string()),
            ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/".to_owned()),
        ])
    }
}

fn no_random() -> io::Error {
    io::Error::other("the system has no random numbers")
}

/// The variables that make programs use the proxy and trust the CA.
pub(crate) fn network(
    proxy: &str,
    proxy_port: u16,
    files: &CaFiles,
) -> Result<Variables, StartError> {
    const DIRECT: &str = "127.0.0.1,localhost,169.254.169.254";
    const JAVA: &str = "JAVA_TOOL_OPTIONS";
    let alone = files.alone().to_string_lossy();
    let bundle = files.bundle().to_string_lossy();
    let before = std::env::var_os(JAVA).map(OsString::into_string).transpose();
    let before = before.map_err(|_| StartError::Variable(JAVA))?;
    let java = java::options(before, files.java(), proxy_port);
    let variables = [
        ("HTTPS_PROXY", proxy),
        ("https_proxy", proxy),
        ("NO_PROXY", DIRECT),
        ("no_proxy", DIRECT),
        // Programs take these certificates in place of their built-in roots.
        ("SSL_CERT_FILE", &bundle),
        ("REQUESTS_CA_BUNDLE", &bundle),
        ("CURL_CA_BUNDLE", &bundle),
        // Programs take these certificates in addition to their built-in roots.
        ("NODE_EXTRA_CA_CERTS", &alone),
        ("VAULTLET_CA_FILE", &alone),
        // Java reads none of the variables above.
        (JAVA, &java),
    ];
    Ok(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
}
