use super::*;
use crate::plan::{Authority, Purpose, Trust, needs, resolve};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[test]
fn a_reference_resolves_to_one_form() {
    for reference in [
        "akv://job/db-password",
        "akv://JOB.vault.azure.NET/db-password",
        "https://job.vault.azure.net:443/secrets/db-password",
        "@Microsoft.KeyVault(VaultName=job;SecretName=db-password)",
    ] {
        let resolved = resolve(reference, &[]).expect(reference);
        assert_eq!(resolved.reference, "akv://job.vault.azure.net/db-password");
        assert_eq!(
            resolved.authority,
            Authority {
                host: "job.vault.azure.net".into(),
                port: 443,
                trust: Trust::Roots,
                purpose: Purpose::Vault,
            }
        );
        assert_eq!((resolved.name.as_str(), resolved.version), ("db-password", None));
    }
    failed(
        resolve("akv://job/a", &pairs(&[("VAULTLET_CLOUD", "moon")])),
        "setting-malformed",
        ErrorKind::Configuration,
    );
}

#[test]
fn what_is_canonical_resolves_to_itself() {
    let settings = pairs(&[("VAULTLET_ALLOW_HTTP_LOOPBACK", "true")]);
    for reference in [
        "akv://job.localhost:8443/a/0123456789abcdef0123456789abcdef?json=/x%20y/%26/%25/+",
        "http://127.0.0.1:8080/secrets/a?json=/x",
        "http://[::1]:8080/secrets/a",
        "akv://job.vault.azure.cn/a?json=",
    ] {
        let once = resolve(reference, &settings).expect(reference).reference;
        assert_eq!(resolve(&once, &settings).unwrap().reference, once);
    }
}

#[test]
fn needs_are_what_the_variables_select() {
    let all = needs(&[], &[]).unwrap();
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
    assert!(all.authorities.is_empty());
    let mut distinct = all.variables.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), all.variables.len());
    let only = needs(&pairs(&[("VAULTLET_IDENTITY", "obo")]), &[]).unwrap();
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
        let needs = needs(&pairs(&settings), &pairs(&values)).unwrap();
        let authorities: Vec<_> =
            needs.authorities.iter().map(|a| format!("{}:{}", a.host, a.port)).collect();
        assert_eq!(authorities, expected, "{values:?}");
        for authority in needs.authorities {
            let (purpose, trust) = match authority.port {
                443 => (Purpose::TokenAuthority, Trust::Roots),
                _ => (Purpose::IdentityEndpoint, Trust::None),
            };
            assert_eq!((authority.purpose, authority.trust), (purpose, trust));
        }
    }
}
