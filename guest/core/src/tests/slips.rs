//! Malformed references: they are shown, without what may be secret, with a guess at what was meant.

use super::*;
use crate::settings::Settings;
use crate::vault::{Listed, Reference};

fn settings() -> Settings {
    Settings::read(&|_| None).unwrap()
}

#[test]
fn a_slip_of_a_known_kind_gets_a_guess() {
    const V: &str = "0123456789abcdef0123456789abcdef";
    for (text, guess) in [
        ("akv://h.vault.azure.net/secrets/n", "akv://h.vault.azure.net/n"),
        ("akv://job/secrets/n", "akv://job/n"),
        ("akv://job/Secrets/n/", "akv://job/n"),
        (&format!("akv://job/secrets/n/{V}"), &format!("akv://job/n/{V}")),
        ("akv://https://job.vault.azure.net/secrets/n", "akv://job.vault.azure.net/n"),
        ("akv://https://job.vault.azure.net/n", "akv://job.vault.azure.net/n"),
        ("akv:https://job.vault.azure.net/secrets/n", "akv://job.vault.azure.net/n"),
        ("my-key-vault/db-password", "akv://my-key-vault/db-password"),
        ("job.vault.azure.net/secrets/n", "akv://job.vault.azure.net/n"),
        ("//job/n", "akv://job/n"),
        ("akv:job/n", "akv://job/n"),
        ("akv:/job/n", "akv://job/n"),
        ("akv//job/n", "akv://job/n"),
        ("avk://job/n", "akv://job/n"),
        ("kv://job/n", "akv://job/n"),
        ("keyvault://job/n", "akv://job/n"),
        ("akv:\\\\job\\n", "akv://job/n"),
        ("akv://job/db_password", "akv://job/db-password"),
        ("akv://job/db.password", "akv://job/db-password"),
        ("akv://job/db password", "akv://job/db-password"),
        ("akv://my_vault/n", "akv://my-vault/n"),
        ("akv://job//n", "akv://job/n"),
        ("akv://job:n", "akv://job/n"),
        ("akv://job.vault.azure.net./n", "akv://job.vault.azure.net/n"),
        ("\"akv://job/n\"", "akv://job/n"),
        ("'akv://job/n'", "akv://job/n"),
        ("akv://job/n?json=a", "akv://job/n?json=/a"),
        ("akv://job/n#x", "akv://job/n"),
        ("akv://job/n?version=latest", "akv://job/n"),
        ("akv://job/n/latest", "akv://job/n"),
        ("akv://job/n/01234567-89ab-cdef-0123-456789abcdef", &format!("akv://job/n/{V}")),
        (&format!("akv://job/n/versions/{V}"), &format!("akv://job/n/{V}")),
        ("https://job.vault.azure.net/n", "akv://job.vault.azure.net/n"),
        ("https://job.vault.azure.net/secrets/n/versions", "akv://job.vault.azure.net/n"),
        ("https://job.vault.azure.net/secrets//n", "akv://job.vault.azure.net/n"),
        ("https://job.vault.azure.net/secret/n", "akv://job.vault.azure.net/n"),
        ("https://job.vault.azure.net/certificates/n", "akv://job.vault.azure.net/n"),
        (
            &format!(
                "https://portal.azure.com/#@t.onmicrosoft.com/asset/Microsoft_Azure_KeyVault/Secret/https://job.vault.azure.net/secrets/n/{V}"
            ),
            &format!("akv://job.vault.azure.net/n/{V}"),
        ),
        (
            "https://portal.azure.com/#view/Microsoft_Azure_KeyVault/SecretMenuBlade/~/id/https%3A%2F%2Fjob.vault.azure.net%2Fsecrets%2Fn",
            "akv://job.vault.azure.net/n",
        ),
        (
            "https://portal.azure.com/#@t/resource/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/job/secrets/n",
            "akv://job/n",
        ),
        (
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/job/secrets/n",
            "akv://job/n",
        ),
        (
            &format!(
                "/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/job/secrets/n/versions/{V}"
            ),
            &format!("akv://job/n/{V}"),
        ),
        ("Microsoft.KeyVault(VaultName=job;SecretName=n)", "akv://job/n"),
        ("@Microsoft.KeyVault(VaultName=job;SecretName=n", "akv://job/n"),
        ("@Microsoft.KeyVault(VaultName=job,SecretName=n)", "akv://job/n"),
        ("@Microsoft.KeyVault(Vault=job;Secret=n)", "akv://job/n"),
        ("@Microsoft.KeyVault(SecretUri=akv://job/n)", "akv://job/n"),
        (
            "@Microsoft.KeyVault(https://job.vault.azure.net/secrets/n)",
            "akv://job.vault.azure.net/n",
        ),
        (
            "@Microsoft.KeyVault (SecretUri=https://job.vault.azure.net/secrets/n)",
            "akv://job.vault.azure.net/n",
        ),
        (
            "@Microsoft.KeyVault(SecretUri='https://job.vault.azure.net/secrets/n')",
            "akv://job.vault.azure.net/n",
        ),
        ("db_password", "akv://<vault>/db-password"),
        ("db-password", "akv://<vault>/db-password"),
        ("akv://job", "akv://job/<name>"),
        ("akv://job/", "akv://job/<name>"),
        ("https://job.vault.azure.net/secrets/", "akv://job.vault.azure.net/<name>"),
        (
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/job",
            "akv://job/<name>",
        ),
    ] {
        let error = failed(
            Reference::parse(text, &settings()),
            "reference-malformed",
            ErrorKind::InvalidArgument,
        );
        assert!(error.help.contains(&format!("`{guess}`")), "{text}: {}", error.line());
        if !text.starts_with("https://portal") {
            assert!(
                error.message.contains(&format!("`{text}`")) || text.contains(['?', '#']),
                "{text}: {}",
                error.line()
            );
        }
    }
}

#[test]
fn what_may_be_secret_in_a_reference_is_masked() {
    for text in [
        "akv://user:hunter2@job.example/a_b",
        "https://hunter2@job.vault.azure.net/secrets/a_b",
        "akv://job/a_b?sig=hunter2",
        "akv://job/a_b?hunter2",
        "https://job.vault.azure.net/secrets/a_b?x=y&token=hunter2",
        "akv://job/a#hunter2",
        "akv://https://u:hunter2@job.vault.azure.net/a_b",
        "user:hunter2@job/n",
        "akv://job/eyJ_hunter2",
        "p@ss hunter2!",
    ] {
        failed(
            Reference::parse(text, &settings()),
            "reference-malformed",
            ErrorKind::InvalidArgument,
        );
    }
    for text in ["akv://job/%65yJ_a", "akv://job/a_b?json=%2F%65yJa", "akv://job/eyJ_a"] {
        let error = failed(
            Reference::parse(text, &settings()),
            "reference-malformed",
            ErrorKind::InvalidArgument,
        );
        assert!(!error.json().contains("eyJ"), "{}", error.line());
    }
    let odd = format!("akv://job/a\u{202e}\u{1b}[31m\u{200b}_b{}", "x".repeat(1_000));
    let error = failed(
        Reference::parse(&odd, &settings()),
        "reference-malformed",
        ErrorKind::InvalidArgument,
    );
    assert!(!error.line().contains(['\u{202e}', '\u{1b}', '\u{200b}']) && error.line().len() < 600);
}

#[test]
fn what_cannot_be_meant_is_explained() {
    for (text, says) in [
        ("https://job.vault.azure.net/keys/n", "a key"),
        ("https://job.vault.azure.net/keys/n/0123456789abcdef0123456789abcdef", "a key"),
        ("https://job.vault.azure.net/certificates/n", "a certificate"),
        ("akv://https://job.vault.azure.net/secrets/n", "akv://"),
        ("akv://job/a_b", "letters, digits and hyphens"),
        ("akv://job/a/b", "32 hexadecimal digits"),
        ("akv://job.example:99999/a", "not a valid port"),
        ("", "it is empty"),
        ("  ", "it is empty"),
    ] {
        let error = failed(
            Reference::parse(text, &settings()),
            "reference-malformed",
            ErrorKind::InvalidArgument,
        );
        assert!(error.message.contains(says), "{says}: {}", error.line());
    }
    let error = Listed::secrets("job/a/b", &settings()).unwrap_err();
    assert!(error.message.contains("`job/a/b`"), "{}", error.line());
}

#[test]
fn the_api_version_of_a_copied_url_is_no_obstacle() {
    for text in [
        "https://job.vault.azure.net/secrets/n?api-version=7.4",
        "https://job.vault.azure.net/secrets/n/?api-version=2025-07-01",
        "@Microsoft.KeyVault(SecretUri=https://job.vault.azure.net/secrets/n?api-version=7.4)",
    ] {
        let reference = Reference::parse(text, &settings()).expect(text);
        assert_eq!(reference.canonical(), "akv://job.vault.azure.net/n");
    }
    let both = "https://job.vault.azure.net/secrets/n?api-version=7.4&json=/a";
    assert_eq!(
        Reference::parse(both, &settings()).unwrap().canonical(),
        "akv://job.vault.azure.net/n?json=/a"
    );
    Reference::parse("akv://job/n?api-version=7.4", &settings()).unwrap_err();
}

/// A guess is unescaped, and what was escaped may be a line break, which has no place in a message.
#[test]
fn a_guess_has_no_characters_that_steer_a_terminal() {
    for escaped in ["%\u{1}0a", "%0\0D", "%1\u{7f}b[31m", "%7\u{85}f", "%c\u{1}2%85", "%e2%80%a\ne"]
    {
        for text in [
            format!("akv://job/a?json=/2x{escaped}&"),
            format!("akv://job/a?json=/2x{escaped}&x=%"),
            format!("akv://job/a{escaped}b/c?json=/x"),
            format!("https://job.vault.azure.net/n{escaped}?x"),
        ] {
            let Err(error) = Reference::parse(&text, &settings()) else { continue };
            let is_shown = |c: char| !c.is_control() && !"\u{202e}\u{2028}".contains(c);
            assert!(error.line().chars().all(is_shown), "{text:?}: {error:?}");
        }
    }
}
