//! Flags that commands share.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vaultlet_host::{Builder, Error, Kind, Vaultlet};

use crate::failure::Failure;

/// In which form the answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The value alone, exactly its bytes
    Value,
    /// One JSON object (several references: one array)
    Json,
    /// NAME='quoted', one line each
    Env,
}

/// Whose identity, and how to reach it and the vault.
#[derive(Args)]
#[command(next_help_heading = "Identity and network")]
pub(crate) struct Options {
    /// Sources of credentials, in order [default: auto]: environment, workload-identity, azureml-obo,
    /// managed-identity, azure-cli, azure-developer-cli, azure-powershell; only when named:
    /// azure-pipelines, on-behalf-of, device-code
    #[arg(long, value_name = "LABEL,…")]
    identity: Vec<String>,
    /// Sources to leave out
    #[arg(long, value_name = "LABEL,…")]
    exclude: Vec<String>,
    /// The user-assigned managed identity, by client id
    #[arg(long, value_name = "GUID", group = "user_assigned")]
    client_id: Option<String>,
    /// The same by object id
    #[arg(long, value_name = "GUID", group = "user_assigned")]
    object_id: Option<String>,
    /// The same by Azure resource id
    #[arg(long, value_name = "ID", group = "user_assigned")]
    resource_id: Option<String>,
    /// Tenants that may be asked besides the configured one, * for all; may be repeated
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    additional_tenants: Vec<String>,
    /// The file with the user's token, for on-behalf-of (- is stdin)
    #[arg(long, value_name = "FILE")]
    user_assertion_file: Option<String>,
    /// The cloud of vaults that are named without a domain: public, china, usgov
    #[arg(long, value_name = "CLOUD")]
    cloud: Option<String>,
    /// The time that the whole command may take [default: 120]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<String>,
    /// Trust these certificates, too
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,
    /// Connect there for that authority; name and certificate check unchanged
    #[arg(long, value_name = "HOST:PORT:ADDR[:PORT]")]
    resolve: Vec<String>,
    /// Accept http:// for a vault on loopback
    #[arg(long)]
    allow_http_loopback: bool,
}

/// Bytes of a user's token; as much as of one in a file.
const ASSERTION_MAX: usize = 64 << 10;

type Set = fn(Builder, String) -> Builder;

/// Flag and variable of each setting that the component or the host reads by itself.
const SETTINGS: [(&str, &str); 12] = [
    ("--identity", "VAULTLET_IDENTITY"),
    ("--exclude", "VAULTLET_EXCLUDE"),
    ("--client-id", "VAULTLET_CLIENT_ID"),
    ("--object-id", "VAULTLET_OBJECT_ID"),
    ("--resource-id", "VAULTLET_RESOURCE_ID"),
    ("--additional-tenants", "VAULTLET_ADDITIONAL_TENANTS"),
    ("--user-assertion-file", "VAULTLET_USER_ASSERTION_FILE"),
    ("--cloud", "VAULTLET_CLOUD"),
    ("--timeout", "VAULTLET_TIMEOUT"),
    ("--ca-file", "VAULTLET_CA_FILE"),
    ("--resolve", "VAULTLET_RESOLVE"),
    ("--allow-http-loopback", "VAULTLET_ALLOW_HTTP_LOOPBACK"),
];

impl Options {
    /// Opens a handle for so many calls at once.
    pub(crate) fn open(&self, calls: usize) -> Result<Vaultlet, Failure> {
        self.builder()?.concurrency(calls).open().map_err(explain)
    }

    fn builder(&self) -> Result<Builder, Failure> {
        let mut builder = Vaultlet::builder();
        if io::stderr().is_terminal() {
            builder = builder.on_prompt(|line| {
                let _ = writeln!(io::stderr(), "{line}");
            });
        }
        builder = match self.user_assertion()? {
            Some(token) => builder.user_assertion(token),
            None => builder,
        };
        let lists: [(_, Set); 2] =
            [(&self.identity, Builder::identity), (&self.exclude, Builder::exclude)];
        for (values, set) in lists {
            if !values.is_empty() {
                builder = set(builder, values.join(","));
            }
        }
        if !self.additional_tenants.is_empty() {
            builder = builder.additional_tenants(self.additional_tenants.join(";"));
        }
        let single: [(_, Set); 6] = [
            (&self.user_assertion_file, Builder::user_assertion_file),
            (&self.client_id, Builder::client_id),
            (&self.object_id, Builder::object_id),
            (&self.resource_id, Builder::resource_id),
            (&self.cloud, Builder::cloud),
            (&self.timeout, Builder::timeout_text),
        ];
        for (value, set) in single {
            if let Some(value) = value {
                builder = set(builder, value.clone());
            }
        }
        if let Some(path) = &self.ca_file {
            builder = builder.ca_file(path);
        }
        if self.allow_http_loopback {
            builder = builder.allow_http_loopback(true);
        }
        Ok(self.resolve.iter().fold(builder, Builder::resolve))
    }

    /// The user's token from stdin, where that is said.
    fn user_assertion(&self) -> Result<Option<String>, Failure> {
        const VARIABLE: &str = "VAULTLET_USER_ASSERTION_FILE";
        let file = self.user_assertion_file.clone().or_else(|| std::env::var(VARIABLE).ok());
        if file.as_deref() != Some("-") {
            return Ok(None);
        }
        let mut token = String::with_capacity(ASSERTION_MAX);
        let read = io::stdin().lock().take(ASSERTION_MAX as u64).read_to_string(&mut token);
        read.map_err(|error| {
            let message = format!("reading the user's token from stdin: {}", error.kind());
            Failure::own(Kind::Configuration, "setting-malformed", message, "give it as text")
        })?;
        Ok(Some(token))
    }
}

/// The variable of a setting that is not the command line's own, by its flag without the dashes.
pub(crate) fn variable_of(long: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(flag, _)| flag.strip_prefix("--") == Some(long)).map(|(_, name)| *name)
}

/// Whether it was given as a flag.
pub(crate) fn is_flag(flag: &str) -> bool {
    std::env::args_os().any(|a| {
        a.to_str()
            .and_then(|a| a.strip_prefix(flag))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

/// A setting that came from a flag is called by the flag, and a malformed one is a usage error.
pub(crate) fn explain(mut error: Error) -> Failure {
    let is_malformed = error.kind == Kind::Configuration && error.id == "setting-malformed";
    for (flag, variable) in SETTINGS {
        if !is_flag(flag) {
            continue;
        }
        let (quoted, by_name) = (format!("`{variable}`"), format!("`{flag}`"));
        error.message = error.message.replace(&quoted, &by_name);
        error.help = error.help.replace(&quoted, &by_name);
        if is_malformed && error.message.contains(&by_name) {
            error.kind = Kind::Usage;
            error.id = "usage".into();
        }
    }
    Failure::from(error)
}
