//! The peers, which are the programs that are measured: one line per peer in [`Id`] and in each `match`.

use std::{fmt, fs, path::Path};

use anyhow::Result;
use bench_measure::Task;
use clap::ValueEnum;

use crate::{
    Section, languages, prepare,
    sandbox::{IDENTITY, Trust},
    vault::IDENTITY_SECRET,
};

/// A peer's short name.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub(crate) enum Id {
    /// The floor: blocking sockets, rustls with ring
    Raw,
    /// The command line
    Vaultlet,
    /// The command line as it is in the packages of a release: static
    VaultletStatic,
    /// The command line, which runs a command with the secret
    Run,
    /// That command by itself
    Bare,
    /// A Rust program that embeds the host, from its main thread
    HostBlocking,
    /// A Rust program that embeds the host, from a tokio runtime
    HostAsync,
    /// Microsoft's Rust SDK
    Sdk,
    /// Microsoft's Python SDK
    Python,
    /// The package for Python
    PythonOurs,
    /// Microsoft's SDK for Node
    Node,
    /// The package for Node
    NodeOurs,
    /// Microsoft's Go SDK
    Go,
    /// The module for Go
    GoOurs,
    /// Microsoft's Java SDK
    Java,
    /// The package for Java
    JavaOurs,
    /// The library for C
    COurs,
}

/// What [`Id::Run`] runs, and [`Id::Bare`] is.
const COMMAND: &str = "/bin/true";

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("?", |value| value.get_name()))
    }
}

impl Id {
    /// The peer's name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Id::Raw => "raw Rust (blocking rustls, ring) = floor",
            Id::Vaultlet => "**`vaultlet get`**",
            Id::VaultletStatic => "**`vaultlet get`**, static",
            Id::Run => "**`vaultlet run -- true`**",
            Id::Bare => "`true`, by itself",
            Id::HostBlocking => "**vaultlet-host, blocking**",
            Id::HostAsync => "**vaultlet-host, async**",
            Id::Sdk => "Rust SDK (azure_identity 1.0.0)",
            Id::Python => "Python SDK (azure-identity 1.27.0)",
            Id::PythonOurs => "**vaultlet for Python**",
            Id::Node => "Node SDK (@azure/identity 4.14.1)",
            Id::NodeOurs => "**vaultlet for Node**",
            Id::Go => "Go SDK (azidentity 1.15.0)",
            Id::GoOurs => "**vaultlet for Go**",
            Id::Java => "Java SDK (azure-identity 1.18.2)",
            Id::JavaOurs => "**vaultlet for Java** (JNA)",
            Id::COurs => "**vaultlet for C**",
        }
    }

    /// Whether the benchmark fails without this peer: the floor, and every peer that uses vaultlet.
    pub(crate) fn is_ours(self) -> bool {
        !matches!(self, Id::Sdk | Id::Python | Id::Node | Id::Go | Id::Java)
    }

    /// Whether the peer prints the secret.
    pub(crate) fn prints(self) -> bool {
        !matches!(self, Id::Run | Id::Bare)
    }

    /// Whether the peer takes part in a measurement.
    pub(crate) fn has(self, section: Section) -> bool {
        match section {
            Section::Cold => true,
            Section::Warm | Section::Conc => {
                !matches!(self, Id::Vaultlet | Id::VaultletStatic | Id::Run | Id::Bare)
            }
            Section::Phases => self == Id::Vaultlet,
        }
    }

    /// The command line for a task.
    pub(crate) fn command(self, root: &Path, task: &Task) -> Vec<String> {
        let program = |path: &str| vec![root.join(path).to_string_lossy().into_owned()];
        let mut command = match self {
            Id::Vaultlet | Id::Run => program("target/release/vaultlet"),
            Id::VaultletStatic => program(&prepare::static_program()),
            Id::Bare => vec![COMMAND.to_owned()],
            Id::Raw => program("target/bench/release/bench-raw"),
            Id::Sdk => program("target/bench/release/bench-sdk"),
            Id::HostBlocking | Id::HostAsync => program("target/bench/release/bench-ours"),
            _ => languages::command(self, root),
        };
        if self == Id::HostAsync {
            command.push("--async".to_owned());
        }
        command.extend(match task {
            Task::Cold { name } if matches!(self, Id::Vaultlet | Id::VaultletStatic) => {
                vec!["get".to_owned(), format!("akv://bench-kv/{name}")]
            }
            Task::Cold { name } if self == Id::Run => {
                let variable = format!("SECRET=akv://bench-kv/{name}");
                ["run", "-e", &variable, "--", COMMAND].map(str::to_owned).into()
            }
            Task::Cold { .. } if self == Id::Bare => Vec::new(),
            Task::Cold { name } => vec!["cold".to_owned(), name.clone()],
            Task::WarmSame { calls } => vec!["warm-same".to_owned(), calls.to_string()],
            Task::WarmDiff { calls } => vec!["warm-diff".to_owned(), calls.to_string()],
            Task::Conc { callers, calls } => {
                vec!["conc".to_owned(), callers.to_string(), calls.to_string()]
            }
        });
        command
    }

    /// The whole environment: the identity endpoint, and the variables by which the peer trusts the root.
    pub(crate) fn environment(self, trust: &Trust) -> Vec<(&'static str, String)> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut environment = vec![
            ("PATH", "/usr/bin:/bin".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("HOME", path(trust.folder())),
        ];
        environment.extend(match self {
            // These SDKs do not support Azure ML, so they get App Service's endpoint.
            Id::Sdk | Id::Java => vec![
                ("IDENTITY_ENDPOINT", format!("http://{IDENTITY}/msi/token")),
                ("IDENTITY_HEADER", IDENTITY_SECRET.to_owned()),
            ],
            _ => vec![
                ("MSI_ENDPOINT", format!("http://{IDENTITY}/MSI/auth")),
                ("MSI_SECRET", IDENTITY_SECRET.to_owned()),
                ("DEFAULT_IDENTITY_CLIENT_ID", "11111111-2222-3333-4444-555555555555".to_owned()),
            ],
        });
        environment.push(match self {
            Id::Sdk | Id::Go => ("SSL_CERT_FILE", path(&trust.bundle())),
            Id::Python => ("REQUESTS_CA_BUNDLE", path(&trust.bundle())),
            Id::Node => ("NODE_EXTRA_CA_CERTS", path(&trust.root())),
            Id::Java => ("JAVA_TOOL_OPTIONS", trust.java()),
            _ => ("VAULTLET_CA_FILE", path(&trust.root())),
        });
        environment
    }

    /// The size of the peer's program and libraries in bytes, without the language's own runtime.
    pub(crate) fn size(self, root: &Path) -> Result<u64> {
        if let Some(folder) = languages::installed(self, root) {
            return languages::bytes_in(&folder);
        }
        let task = Task::WarmSame { calls: 1 };
        let program = self.command(root, &task).into_iter().next().unwrap_or_default();
        Ok(fs::metadata(program)?.len())
    }
}
