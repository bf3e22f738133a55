use super::*;
use crate::{settings::Settings, vault::Reference};

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Reference, Error> {
    let lookup = |name: &str| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
    };
    Reference::parse(text, &Settings::read(&lookup)?)
}

#[test]
fn a_value_that_may_be_a_reference_is_recognized() {
    let settings = Settings::read(&|_: &str| None).unwrap();
    for (text, expected) in [
        ("akv://job/a", Some("akv://job.vault.azure.net/a")),
        (" AKV://job/a\n", Some("akv://job.vault.azure.net/a")),
        ("akv://job.localhost:8443/a", Some("akv://job.localhost:8443/a")),
        ("@microsoft.keyvault(VaultName=job;SecretName=a)", Some("akv://job.vault.azure.net/a")),
        ("HTTPS://job.vault.azure.net/secrets/a", Some("akv://job.vault.azure.net/a")),
        ("https://job.vault.azure.cn/secrets/a", Some("akv://job.vault.azure.cn/a")),
        // The URLs of other servers, and of other things in a vault.
        ("https://job.example/secrets/a", None),
        ("https://job.vault.azure.net:8443/secrets/a", None),
        ("https://vault.azure.net/secrets/a", None),
        ("https://job.vault.azure.net/keys/a", None),
        ("https://job.vault.azure.net/secrets/a?x=1", None),
        ("http://job.vault.azure.net/secrets/a", None),
        ("see akv://job/a", None),
        ("akv:", None),
        ("", None),
        // What can be nothing else is malformed.
        ("akv://", Some("")),
        ("akv://job", Some("")),
        ("akv://job/a?x=1", Some("")),
        ("@Microsoft.KeyVault(VaultName=job)", Some("")),
        ("@Microsoft.KeyVault(", Some("")),
    ] {
        let found = Reference::recognize(text, &settings);
        let found = found.map(|it| it.map(|it| it.canonical()).unwrap_or_default());
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

#[test]
fn every_form_of_a_reference_is_parsed() {
    let loopback = ("VAULTLET_ALLOW_HTTP_LOOPBACK", "1");
    for (text, setting, canonical) in [
        ("akv://job/a", ("", ""), "akv://job.vault.azure.net/a"),
        ("AKV://Job/A-b", ("", ""), "akv://job.vault.azure.net/A-b"),
        ("akv://job/a", ("VAULTLET_CLOUD", "china"), "akv://job.vault.azure.cn/a"),
        ("akv://job/a", ("VAULTLET_CLOUD", "usgov"), "akv://job.vault.usgovcloudapi.net/a"),
        (
            "akv://job/a",
            ("AZURE_AUTHORITY_HOST", "login.microsoftonline.us"),
            "akv://job.vault.usgovcloudapi.net/a",
        ),
        (
            "akv://job/a",
            ("AZURE_AUTHORITY_HOST", "https://login.chinacloudapi.cn/ "),
            "akv://job.vault.azure.cn/a",
        ),
        ("akv://job/a/", ("", ""), "akv://job.vault.azure.net/a"),
        (
            "akv://job/a/0123456789ABCDEF0123456789abcdef",
            ("", ""),
            "akv://job.vault.azure.net/a/0123456789abcdef0123456789abcdef",
        ),
        ("akv://job/a?json=/b", ("", ""), "akv://job.vault.azure.net/a?json=/b"),
        ("akv://job/a?json=%2Fb~1c%20d", ("", ""), "akv://job.vault.azure.net/a?json=/b~1c%20d"),
        ("akv://job/a?", ("", ""), "akv://job.vault.azure.net/a"),
        ("akv://job.localhost:8443/a", ("", ""), "akv://job.localhost:8443/a"),
        ("akv://localhost/a", ("", ""), "akv://localhost/a"),
        ("akv://[::1]:8443/a", ("", ""), "akv://[::1]:8443/a"),
        ("https://job.vault.azure.net/secrets/a", ("", ""), "akv://job.vault.azure.net/a"),
        (
            "https://job.vault.azure.net/secrets/a/0123456789abcdef0123456789abcdef?json=/x",
            ("", ""),
            "akv://job.vault.azure.net/a/0123456789abcdef0123456789abcdef?json=/x",
        ),
        ("http://localhost:8080/secrets/a", loopback, "http://localhost:8080/secrets/a"),
        ("http://x.localhost/secrets/a", loopback, "http://x.localhost/secrets/a"),
        (" akv://job/a ", ("", ""), "akv://job.vault.azure.net/a"),
        (
            "@Microsoft.KeyVault(SecretUri=https://job.vault.azure.net/secrets/a/)",
            ("", ""),
            "akv://job.vault.azure.net/a",
        ),
        (
            "@Microsoft.KeyVault(VaultName=job;SecretName=a)",
            ("", ""),
            "akv://job.vault.azure.net/a",
        ),
        (
            "@microsoft.keyvault(secretname=a; vaultname=job; SecretVersion=0123456789abcdef0123456789abcdef)",
            ("", ""),
            "akv://job.vault.azure.net/a/0123456789abcdef0123456789abcdef",
        ),
        (
            "@Microsoft.KeyVault(VaultName=job;SecretName=a;SecretVersion=)",
            ("", ""),
            "akv://job.vault.azure.net/a",
        ),
    ] {
        assert_eq!(parse(text, &[setting]).expect(text).canonical(), canonical, "{text}");
    }
}

#[test]
fn malformed_references_are_refused_without_quoting_values() {
    let long = format!("akv://job/a?json=/{}", "x".repeat(3_000));
    let name = format!("akv://job/{}", "x".repeat(128));
    for text in [
        "",
        "hunter2",
        "akv:job/a",
        "akv://",
        "akv:///a",
        "akv://job",
        "akv://job/",
        "akv://job/a_b",
        "akv://job/a.b",
        "akv://job/a b",
        "akv://job/a%2Db",
        "akv://job/../b",
        "akv://job/a/b",
        "akv://job/a/0123",
        "akv://job/a/0123456789abcdef0123456789abcdef/x",
        "akv://ab/a",
        "akv://1job/a",
        "akv://a--b/a",
        "akv://job-/a",
        "akv://a-name-that-is-much-too-long/a",
        "akv://my_vault/a",
        "akv://job.vault.azure.net./a",
        "akv://-job.example/a",
        "akv://job..example/a",
        "akv://user@job.example/a",
        "akv://user:pw@job.example/a",
        "akv://job.example:0/a",
        "akv://job.example:99999/a",
        "akv://job.example:x/a",
        "akv://127.1/a",
        "akv://[::1/a",
        "akv://jöb.example/a",
        "akv://job/a#x",
        "akv://job/a?x=y",
        "akv://job/a?json",
        "akv://job/a?json=b",
        "akv://job/a?json=/~2",
        "akv://job/a?json=/~",
        "akv://job/a?json=/a&json=/b",
        "akv://job/a?json=/%ff",
        "akv://job/a?json=/a b",
        "akv://job/a?json=/%4",
        "akv://job/a?as=env",
        "http://job.vault.azure.net/secrets/a",
        "http://127.0.0.1:8080/secrets/a",
        "https://job.vault.azure.net/keys/a",
        "https://job.vault.azure.net/a",
        "https://job.vault.azure.net/secrets/",
        "https://job.vault.azure.net/secrets//a",
        "https://job.vault.azure.net/secrets/a/versions",
        "https://u:p@job.vault.azure.net/secrets/a",
        "https:///secrets/a",
        "@Microsoft.KeyVault()",
        "@Microsoft.KeyVault(VaultName=job)",
        "@Microsoft.KeyVault(SecretUri=akv://job/a)",
        "@Microsoft.KeyVault(VaultName=job;SecretName=a",
        "@Microsoft.KeyVault(VaultName=job;VaultName=job;SecretName=a)",
        "@Microsoft.KeyVault(VaultName=job;SecretName=a;X=y)",
        "@Microsoft.KeyVault(SecretUri=https://job.vault.azure.net/secrets/a;SecretVersion=x)",
        "@Microsoft.KeyVault(hunter2)",
        &long,
        &name,
    ] {
        failed(parse(text, &[]), "reference-malformed", ErrorKind::InvalidArgument);
    }
    let allowed = [("VAULTLET_ALLOW_HTTP_LOOPBACK", "true")];
    for text in [
        "http://job.vault.azure.net/secrets/a",
        "http://10.0.0.1/secrets/a",
        "http://169.254.1.1/secrets/a",
    ] {
        failed(parse(text, &allowed), "reference-malformed", ErrorKind::InvalidArgument);
    }
    let unknown = [("AZURE_AUTHORITY_HOST", "login.example.com")];
    failed(parse("akv://job/a", &unknown), "setting-malformed", ErrorKind::Configuration);
    parse("akv://job.vault.azure.net/a", &unknown).unwrap();
}
