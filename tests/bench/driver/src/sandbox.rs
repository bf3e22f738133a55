//! Sets up the namespaces: a loopback interface, the vault's name, the root that peers trust.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use bench_measure::VAULT_HOST;
use tempfile::TempDir;

use crate::{certificates, vault::Vault};

/// The address of the identity endpoints.
pub(crate) const IDENTITY: &str = "127.0.0.1:46808";
/// The address of the vault, a private one like a private endpoint's: careful clients refuse loopback.
const VAULT: &str = "10.83.0.4";

/// Files through which peers trust the benchmark's root; they are deleted when this is dropped.
pub(crate) struct Trust {
    folder: TempDir,
}

impl Trust {
    /// The benchmark's root alone, in PEM.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder().join("root.pem")
    }

    /// The system's roots and the benchmark's, in PEM, for peers whose setting replaces the roots.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.folder().join("bundle.pem")
    }

    /// The JVM options by which Java trusts the benchmark's root.
    pub(crate) fn java(&self) -> String {
        let store = self.folder().join("java.p12");
        format!(
            "-Djavax.net.ssl.trustStore={} -Djavax.net.ssl.trustStorePassword=changeit",
            store.display()
        )
    }

    /// The home folder of peers, which has only these files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Sets up the network and starts the servers, with the vault so far away.
pub(crate) fn start(delay: Duration) -> Result<(Vault, Trust)> {
    run("ip", &["link", "set", "lo", "up"])?;
    run("ip", &["address", "add", &format!("{VAULT}/32"), "dev", "lo"])?;
    let trust = Trust { folder: TempDir::with_prefix("vaultlet-bench-")? };
    let hosts = trust.folder().join("hosts");
    fs::write(&hosts, format!("127.0.0.1 localhost\n{VAULT} {VAULT_HOST}\n"))?;
    run("mount", &["--bind", &hosts.to_string_lossy(), "/etc/hosts"])?;

    let (tls, root) = certificates::make(VAULT_HOST)?;
    fs::write(trust.root(), &root)?;
    // Java cannot read PEM. Without Java, `keytool` is missing and the file is not needed.
    let _ = Command::new("keytool")
        .args(["-importcert", "-noprompt", "-alias", "bench", "-storepass", "changeit", "-file"])
        .arg(trust.root())
        .arg("-keystore")
        .arg(trust.folder().join("java.p12"))
        .output();
    let system = fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
    fs::write(trust.bundle(), system + "\n" + &root)?;
    let address = SocketAddr::new(VAULT.parse()?, 443);
    let vault = Vault::start(tls, address, delay, IDENTITY.parse()?)?;
    Ok((vault, trust))
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program).args(arguments).status();
    let status = status.with_context(|| format!("starting `{program}`"))?;
    ensure!(status.success(), "`{program} {}` failed", arguments.join(" "));
    Ok(())
}
