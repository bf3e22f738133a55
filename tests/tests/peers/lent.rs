//! The SDKs' own credentials against a lent endpoint: over each protocol that they speak they get the
//! same token, from one token request.

use std::ffi::{OsStr, OsString};

use vaultlet_dev::Local;
use vaultlet_host::{Lend, Lent, Vaultlet};
use vaultlet_tests::{Ended, Run, root};

use super::{
    VALUE,
    install::{go, java, node, python},
};

const APP_SERVICE: &[&str] = &["IDENTITY_ENDPOINT", "IDENTITY_HEADER"];
const AZURE_ML: &[&str] = &["MSI_ENDPOINT", "MSI_SECRET"];
const IMDS: &[&str] = &["AZURE_POD_IDENTITY_AUTHORITY_HOST"];
const OBO: &[&str] = &["OBO_ENDPOINT"];

#[test]
fn python_gets_a_lent_token_by_managed_identity() {
    let Some(python) = python() else { return };
    let program = root().join("tests/peers/python/credential.py");
    let program = [python.into_os_string(), program.into_os_string(), "managed-identity".into()];
    gets_tokens(&program, &[APP_SERVICE, AZURE_ML, IMDS]);
}

#[test]
fn python_gets_a_lent_token_on_behalf_of_the_user() {
    let Some(python) = python() else { return };
    let program = root().join("tests/peers/python/user_job.py");
    gets_tokens(&[python.into_os_string(), program.into_os_string()], &[OBO]);
}

#[test]
fn node_gets_a_lent_token_by_managed_identity() {
    let Some(folder) = node() else { return };
    let program = folder.join("credential.js").into_os_string();
    // Node's SDK keeps only the host of another metadata service and drops the secret in the path.
    gets_tokens(&["node".into(), program, "managed-identity".into()], &[APP_SERVICE, AZURE_ML]);
}

#[test]
fn go_gets_a_lent_token_by_managed_identity() {
    let Some(folder) = go() else { return };
    let program = folder.join("credential").into_os_string();
    // Go's SDK does not read the variable of another metadata service.
    gets_tokens(&[program, "managed-identity".into()], &[APP_SERVICE, AZURE_ML]);
}

#[test]
fn java_gets_a_lent_token_by_managed_identity() {
    let Some(path) = java() else { return };
    let program = ["java".into(), "-classpath".into(), path, "Credential".into()];
    let program: Vec<OsString> = program.into_iter().chain(["managed-identity".into()]).collect();
    // Java's SDK does not support Azure ML, and keeps only the host of another metadata service.
    gets_tokens(&program, &[APP_SERVICE]);
}

/// A program without the endpoint's secret gets no token in two attempts.
#[test]
fn python_without_the_secret_gets_no_token() {
    let Some(python) = python() else { return };
    let program = root().join("tests/peers/python/credential.py");
    let program = [python.into_os_string(), program.into_os_string(), "managed-identity".into()];
    let stage = Stage::new();
    for times in 1..=2 {
        let more = [("MSI_SECRET", "another")];
        let ended = stage.run(&program, &["MSI_ENDPOINT"], &more);
        assert_ne!(ended.code, 0);
        assert_eq!(stage.lent.requests().get(&401), Some(&times), "{:?}", stage.lent.requests());
    }
    assert_eq!(stage.local.counters().tokens_issued, 0);
}

fn gets_tokens(program: &[OsString], protocols: &[&[&str]]) {
    let stage = Stage::new();
    for variables in protocols {
        let ended = stage.run(program, variables, &[]);
        let result = (ended.stdout.trim_end(), ended.code);
        let requests = stage.lent.requests();
        assert_eq!(result, (VALUE, 0), "{variables:?}: {} {requests:?}", ended.stderr);
    }
    let requests = stage.lent.requests();
    let served = u64::try_from(protocols.len()).unwrap();
    assert!(requests.get(&200).is_some_and(|count| *count >= served), "{requests:?}");
    let counters = stage.local.counters();
    assert_eq!((counters.tokens_issued, counters.tunnels), (1, 0), "{:?}", stage.local.log());
}

/// A local Azure and a lent endpoint with its identity.
struct Stage {
    local: Local,
    lent: Lent,
}

impl Stage {
    fn new() -> Self {
        let builder = Local::builder().vault("my-key-vault").seed("secret-name", VALUE);
        let local = builder.start().unwrap();
        let variables = local.environment().iter().cloned();
        let vaultlet = Vaultlet::builder().variables(variables).open().unwrap();
        let lent = vaultlet.lend(Lend::default()).unwrap();
        Self { local, lent }
    }

    /// Runs a program with some of the lent variables and the proxy of the local Azure.
    fn run(&self, program: &[OsString], names: &[&str], more: &[(&str, &str)]) -> Ended {
        let is_network = |name: &str| {
            name.contains("PROXY")
                || name.contains("proxy")
                || [
                    "SSL_CERT_FILE",
                    "REQUESTS_CA_BUNDLE",
                    "NODE_EXTRA_CA_CERTS",
                    "JAVA_TOOL_OPTIONS",
                ]
                .contains(&name)
        };
        let network = self.local.environment().iter().filter(|(name, _)| is_network(name));
        let lent = self.lent.variables().iter().filter(|(name, _)| names.contains(&name.as_str()));
        let ended = Run::program(&program[0])
            .arguments(program[1..].iter().map(OsStr::new))
            .environment(network.cloned())
            .environment(lent.cloned())
            .environment(more.iter().copied())
            .end();
        let (_, secret) =
            self.lent.variables().iter().find(|(name, _)| name == "MSI_SECRET").unwrap();
        ended.reveals_none_of(&[VALUE], false).reveals_none_of(&[secret], true);
        ended
    }
}
