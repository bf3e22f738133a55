use super::*;
use crate::plan::{Certificates, File, Purpose, Server, Trust};
use crate::planner::{Subject, identity_variables, plan_credentials, resolve};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn secret(reference: &str) -> Subject {
    Subject::Secret(reference.to_owned())
}

fn vault_of(text: &str) -> Subject {
    Subject::Vault(text.to_owned())
}

#[test]
fn every_form_of_a_reference_resolves_to_the_canonical_one() {
    for reference in [
        "akv://job/db-password",
        "akv://JOB.vault.azure.NET/db-password",
        "https://job.vault.azure.net:443/secrets/db-password",
        "@Microsoft.KeyVault(VaultName=job;SecretName=db-password)",
    ] {
        let resolved = resolve(&secret(reference), &[]).expect(reference);
        assert_eq!(resolved.reference, "akv://job.vault.azure.net/db-password");
        assert_eq!(
            resolved.server,
            Server {
                host: "job.vault.azure.net".into(),
                port: 443,
                trust: Trust::Roots,
                purpose: Purpose::Vault,
            }
        );
        assert_eq!((resolved.name.as_deref(), resolved.version), (Some("db-password"), None));
    }
    failed(
        resolve(&secret("akv://job/a"), &pairs(&[("VAULTLET_CLOUD", "moon")])),
        "setting-malformed",
        ErrorKind::Configuration,
    );
}

#[test]
fn a_vault_resolves_to_the_beginning_of_its_references() {
    let settings = pairs(&[("VAULTLET_ALLOW_HTTP_LOOPBACK", "true")]);
    for (vault, canonical) in [
        (" job", "akv://job.vault.azure.net"),
        ("akv://JOB", "akv://job.vault.azure.net"),
        ("akv://job.vault.azure.net:443/", "akv://job.vault.azure.net"),
        ("https://job.vault.azure.net/", "akv://job.vault.azure.net"),
        ("akv://job.localhost:8443", "akv://job.localhost:8443"),
        ("akv://host:443", "akv://host:443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ] {
        let resolved = resolve(&vault_of(vault), &settings).expect(vault);
        assert_eq!((resolved.reference.as_str(), &resolved.name), (canonical, &None));
        assert_eq!(resolve(&vault_of(canonical), &settings).unwrap(), resolved);
        let path = if canonical.starts_with("http") { "/secrets/a" } else { "/a" };
        let inside = resolve(&secret(&format!("{canonical}{path}")), &settings).unwrap();
        assert!(inside.reference.starts_with(canonical));
        assert_eq!(inside.server, resolved.server);
    }
    for text in ["akv://a_b", "akv://job?x", "akv://job/a", "ftp://job", ""] {
        failed(
            resolve(&vault_of(text), &settings),
            "reference-malformed",
            ErrorKind::InvalidArgument,
        );
    }
    // A malformed reference may be a secret's value in the wrong place.
    for text in ["job", "hunter2", "akv://a_b", "akv://job", "ftp://job"] {
        failed(
            resolve(&secret(text), &settings),
            "reference-malformed",
            ErrorKind::InvalidArgument,
        );
    }
}

#[test]
fn a_canonical_reference_resolves_to_itself() {
    let settings = pairs(&[("VAULTLET_ALLOW_HTTP_LOOPBACK", "true")]);
    for reference in [
        "akv://job.localhost:8443/a/0123456789abcdef0123456789abcdef?json=/x%20y/%26/%25/+",
        "http://127.0.0.1:8080/secrets/a?json=/x",
        "http://[::1]:8080/secrets/a",
        "akv://job.vault.azure.cn/a?json=",
    ] {
        let once = resolve(&secret(reference), &settings).expect(reference).reference;
        assert_eq!(resolve(&secret(&once), &settings).unwrap().reference, once);
    }
}

#[test]
fn the_plan_has_the_servers_that_the_variables_select() {
    let all = plan_credentials(&[], &[]).unwrap();
    for name in [
        "MSI_ENDPOINT",
        "MSI_SECRET",
        "OBO_ENDPOINT",
        "IDENTITY_HEADER",
        "AZURE_CLIENT_ID",
        "AZURE_TOKEN_CREDENTIALS",
    ] {
        assert!(all.variables.iter().any(|variable| variable == name), "{name}");
    }
    assert!(all.servers.is_empty());
    let mut distinct = all.variables.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), all.variables.len());
    let only = plan_credentials(&pairs(&[("VAULTLET_IDENTITY", "obo")]), &[]).unwrap();
    assert!(!only.variables.iter().any(|variable| variable == "MSI_SECRET"));

    let obo = ("OBO_ENDPOINT", "http://localhost:46809/OBO/token");
    for (settings, values, expected) in [
        (vec![], ML.to_vec(), vec!["127.0.0.1:46808"]),
        (vec![], ml_and(&[obo]), vec!["localhost:46809"]),
        (vec![("VAULTLET_IDENTITY", "managed")], ml_and(&[obo]), vec!["127.0.0.1:46808"]),
        (
            vec![],
            vec![("IDENTITY_ENDPOINT", "http://10.0.0.1:1/x"), ("IDENTITY_HEADER", "x")],
            vec!["10.0.0.1:1"],
        ),
        (vec![], vec![("PATH", "x")], vec!["169.254.169.254:80", "127.0.0.1:40342"]),
        (
            vec![],
            vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")],
            vec!["127.0.0.1:9"],
        ),
        (vec![], vec![("MSI_ENDPOINT", "http://example.com/x"), ("MSI_SECRET", "x")], vec![]),
        (
            vec![],
            vec![("AZURE_CLIENT_ID", "x"), ("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_SECRET", "s")],
            vec!["login.microsoftonline.com:443"],
        ),
    ] {
        let plan = plan_credentials(&pairs(&settings), &pairs(&values)).unwrap();
        let servers: Vec<_> =
            plan.servers.iter().map(|a| format!("{}:{}", a.host, a.port)).collect();
        assert_eq!(servers, expected, "{values:?}");
        for server in plan.servers {
            let (purpose, trust) = match server.port {
                443 => (Purpose::TokenAuthority, Trust::Roots),
                _ => (Purpose::IdentityEndpoint, Trust::None),
            };
            assert_eq!((server.purpose, server.trust), (purpose, trust));
        }
    }
}

/// A name tells what a variable is for: each that says so is secret, but for what is named here.
#[test]
fn the_plan_calls_each_variable_secret_that_leads_to_an_identity() {
    const HARMLESS: [&str; 4] = [
        "AZUREML_DATAPREP_TOKEN_PROVIDER",
        "AZUREML_RUN_TOKEN_EXPIRY",
        "AZURE_AUTHORITY_HOST",
        "AZURE_TOKEN_CREDENTIALS",
    ];
    const LEADING: [&str; 9] = [
        "SECRET",
        "TOKEN",
        "HEADER",
        "PASSWORD",
        "ENDPOINT",
        "THUMBPRINT",
        "_HOST",
        "CERTIFICATE_PATH",
        "REQUESTURI",
    ];
    let secrets = plan_credentials(&[], &[]).unwrap().secrets;
    assert_eq!(
        plan_credentials(&pairs(&[("VAULTLET_IDENTITY", "obo")]), &pairs(&ML)).unwrap().secrets,
        secrets
    );
    for name in identity_variables() {
        let leads = LEADING.iter().any(|part| name.contains(part)) && !HARMLESS.contains(&name);
        let leads = leads || name == "VAULTLET_USER_ASSERTION_FILE";
        assert_eq!(secrets.contains(&name), leads, "{name}");
    }
    assert!(secrets.iter().all(|name| identity_variables().contains(name)));
}

#[test]
fn each_source_adds_what_it_needs_to_the_plan() {
    let application = [("AZURE_CLIENT_ID", "app-1"), ("AZURE_TENANT_ID", "t-1")];
    let all = |values: &[(&str, &str)], identity: &str| {
        let values: Vec<_> = application.iter().chain(values).copied().collect();
        plan_credentials(&pairs(&[("VAULTLET_IDENTITY", identity)]), &pairs(&values)).unwrap()
    };

    let pinned = Server {
        host: "10.0.0.4".into(),
        port: 2377,
        trust: Trust::Pinned("abcd00112233445566778899aabbccddeeff0011".into()),
        purpose: Purpose::IdentityEndpoint,
    };
    for (thumbprint, servers) in [
        ("AB:CD 00112233445566778899aabbccddeeff0011", &[pinned][..]),
        ("AB:CD 00112233445566778899aabbccddeeff001122", &[]),
        ("ABCD00112233445566778899aabbccddeeff001x", &[]),
    ] {
        let fabric = [
            ("IDENTITY_ENDPOINT", "https://10.0.0.4:2377/token"),
            ("IDENTITY_HEADER", "x"),
            ("IDENTITY_SERVER_THUMBPRINT", thumbprint),
        ];
        assert_eq!(all(&fabric, "managed-identity").servers, servers, "{thumbprint}");
    }

    let arc = all(
        &[("IDENTITY_ENDPOINT", "http://127.0.0.1:40342/t"), ("IMDS_ENDPOINT", "http://x")],
        "managed-identity",
    );
    assert_eq!(arc.files, [File::Folder("/var/opt/azcmagent/tokens".into(), ".key")]);
    for (endpoint, folder) in
        [("http://127.0.0.1:9/t", "/tmp/arc"), ("http://10.0.0.4/t", "/var/opt/azcmagent/tokens")]
    {
        let elsewhere = [
            ("IDENTITY_ENDPOINT", endpoint),
            ("IMDS_ENDPOINT", "http://x"),
            ("VAULTLET_ARC_KEY_FOLDER", "/tmp/arc/"),
        ];
        let files = all(&elsewhere, "managed-identity").files;
        assert_eq!(files, [File::Folder(folder.into(), ".key")], "{endpoint}");
    }

    let workload = all(
        &[
            ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token"),
            ("AZURE_KUBERNETES_TOKEN_PROXY", "https://10.0.0.1/base"),
            ("AZURE_KUBERNETES_CA_FILE", "/ca.pem"),
            ("AZURE_KUBERNETES_SNI_NAME", "proxy.aks"),
        ],
        "workload-identity",
    );
    assert_eq!(workload.files, [File::Path("/var/run/token".into())]);
    let issuers = Certificates::File("/ca.pem".into());
    let trust = Trust::Private { issuers, name: Some("proxy.aks".into()) };
    assert_eq!(workload.servers[0].trust, trust);

    let certificate = all(&[("AZURE_CLIENT_CERTIFICATE_PATH", "/key.pfx")], "environment");
    let key = &certificate.keys[0];
    assert_eq!((key.name, key.path.as_str()), ("client-certificate", "/key.pfx"));
    // Only the host reads the password.
    assert!(!certificate.variables.iter().any(|name| name == "AZURE_CLIENT_CERTIFICATE_PASSWORD"));

    let logins = all(&[], "azure-cli,azure-developer-cli,azure-powershell");
    let commands: Vec<_> = logins.programs.iter().map(|program| program.command).collect();
    assert_eq!(commands, ["az", "azd", "pwsh"]);
    assert!(all(&[], "device-code").tells && !logins.tells);
    let user = [("AZURE_CLIENT_SECRET", "x"), ("VAULTLET_USER_ASSERTION_FILE", "-")];
    assert_eq!(all(&user, "on-behalf-of").files, [File::Path("-".into())]);
}
