//! Patterns against references: what they cover, what only looks as if they did, and what is no pattern.

use std::path::Path;

use proptest::prelude::*;
use vaultlet_core::settings::Cloud;

use super::canonical::Canonical;
use super::file::parse;
use super::glob::is_like;
use super::pattern::Pattern;
use super::tests::{PLAIN, VERSION, settings};

/// The text with the suffix of the public cloud's vaults in the place of `SUFFIX`.
fn with_suffix(text: &str) -> String {
    text.replace("SUFFIX", Cloud::Public.suffix()).replace("CHINA", Cloud::China.suffix())
}

/// Patterns, each with references and whether it covers them.
const COVERED: &[(&str, &[(&str, bool)])] = &[
    (
        "akv://team-kv/db",
        &[
            ("akv://team-kv/db", true),
            ("AKV://Team-KV/db", true),
            (" akv://team-kv/db ", true),
            ("akv://team-kv/db/", true),
            ("akv://team-kv/db?json=/user", true),
            ("akv://team-kv/db/VERSION", true),
            ("akv://team-kv.SUFFIX/db", true),
            ("akv://TEAM-KV.SUFFIX:443/db", true),
            ("https://team-kv.SUFFIX/secrets/db", true),
            ("https://team-kv.SUFFIX:443/secrets/db/VERSION", true),
            ("@Microsoft.KeyVault(SecretUri=https://team-kv.SUFFIX/secrets/db)", true),
            ("@Microsoft.KeyVault(VaultName=team-kv;SecretName=db;SecretVersion=VERSION)", true),
            ("akv://team-kv/DB", false),
            ("akv://team-kv/db2", false),
            ("akv://team-kv/d", false),
            ("akv://team-kv2/db", false),
            ("akv://eam-kv/db", false),
            ("akv://team-kv.CHINA/db", false),
            ("akv://team-kv.SUFFIX:8443/db", false),
            ("akv://team-kv.SUFFIX.evil.example/db", false),
            ("akv://x.team-kv.SUFFIX/db", false),
            ("akv://team-kv.localhost:8443/db", false),
            ("akv://team-kv.x.SUFFIX/db", false),
        ],
    ),
    (
        "akv://team-kv/*",
        &[
            ("akv://team-kv/db", true),
            ("akv://team-kv/db/VERSION", true),
            ("akv://team-kv/DB", true),
            ("akv://team-kv2/db", false),
            ("akv://team-kv.CHINA/db", false),
        ],
    ),
    (
        "akv://Team-*/train-*",
        &[
            ("akv://team-kv/train-x", true),
            ("akv://team-kv/train-", true),
            ("akv://team-kv/Train-x", false),
            ("akv://team-kv/x-train-x", false),
            ("akv://steam-kv/train-x", false),
            ("akv://team-kv.evil.example/train-x", false),
            ("akv://team-a.b.SUFFIX/train-x", false),
        ],
    ),
    (
        "akv://*/db",
        &[
            ("akv://team-kv/db", true),
            ("akv://job.localhost:8443/db", true),
            ("akv://team-kv.CHINA/db", true),
            ("akv://team-kv/db2", false),
            ("http://127.0.0.1:8080/secrets/db", false),
        ],
    ),
    (
        "akv://*.SUFFIX/*",
        &[
            ("akv://team-kv/db", true),
            ("akv://a.b.SUFFIX/db", true),
            ("akv://team-kv.SUFFIX:8443/db", false),
            ("akv://team-kv.CHINA/db", false),
        ],
    ),
    (
        "https://team-kv.SUFFIX:443/secrets/train-*/",
        &[("akv://team-kv/train-x", true), ("akv://team-kv/db", false)],
    ),
    (
        "@microsoft.keyvault( VaultName = team-kv ; SecretName = train-* )",
        &[("akv://team-kv/train-x/VERSION", true), ("akv://team-kv/db", false)],
    ),
    (
        "@Microsoft.KeyVault(SecretUri=https://team-kv.SUFFIX/secrets/*)",
        &[("akv://team-kv/x", true), ("akv://other-kv/x", false)],
    ),
    (
        "akv://team-kv/db/VERSION",
        &[
            ("akv://team-kv/db/VERSION", true),
            ("akv://team-kv/db/0123456789ABCDEF0123456789ABCDEF", true),
            ("akv://team-kv/db", false),
            ("akv://team-kv/db/00000000000000000000000000000000", false),
        ],
    ),
    ("akv://team-kv/db/*", &[("akv://team-kv/db/VERSION", true), ("akv://team-kv/db", false)]),
    (
        "akv://team-kv/db/0123*",
        &[
            ("akv://team-kv/db/VERSION", true),
            ("akv://team-kv/db/00000000000000000000000000000000", false),
        ],
    ),
    (
        "akv://job.localhost:8443/db",
        &[
            ("akv://JOB.localhost:8443/db", true),
            ("akv://job.localhost:8444/db", false),
            ("akv://job.localhost/db", false),
            ("http://job.localhost:8443/secrets/db", false),
        ],
    ),
    (
        "http://127.0.0.1:8080/secrets/*",
        &[
            ("http://127.0.0.1:8080/secrets/db", true),
            ("http://127.0.0.1:80801/secrets/db", false),
            ("https://127.0.0.1:8080/secrets/db", false),
            ("http://127.0.0.2:8080/secrets/db", false),
        ],
    ),
    (
        "http://127.0.0.1:*/secrets/db",
        &[
            ("http://127.0.0.1:8080/secrets/db", true),
            ("http://127.0.0.1/secrets/db", false),
            ("http://127.0.0.1:8080/secrets/db2", false),
        ],
    ),
];

#[test]
fn a_pattern_covers_what_it_is_written_for_in_every_form_and_no_look_alike() {
    let settings = settings(&[PLAIN]);
    for (pattern, references) in COVERED {
        let text = with_suffix(pattern).replace("VERSION", VERSION);
        let pattern = Pattern::of_secrets(&text).unwrap_or_else(|it| panic!("{text}: {}", it.why));
        for (reference, expected) in *references {
            let reference = with_suffix(reference).replace("/VERSION", &format!("/{VERSION}"));
            let reference = reference.replace("=VERSION", &format!("={VERSION}"));
            // A host that cannot be is refused before it is compared.
            let Ok(canonical) = Canonical::read(&reference, &settings) else {
                assert!(!expected, "{reference} is malformed");
                continue;
            };
            assert_eq!(pattern.covers(&canonical), *expected, "{text} and {reference}");
        }
        // What it shows of itself means the same.
        assert_eq!(Pattern::of_secrets(&pattern.text()).unwrap(), pattern, "{text}");
    }
}

#[test]
fn a_vault_s_name_is_one_of_the_reference_s_cloud() {
    let pattern = Pattern::of_secrets("akv://team-kv/*").unwrap();
    for (cloud, reference, expected) in [
        ("china", "akv://team-kv/db", true),
        ("usgov", "akv://team-kv/db", true),
        ("china", "akv://team-kv.CHINA/db", true),
        ("china", "akv://team-kv.SUFFIX/db", false),
    ] {
        let settings = settings(&[("VAULTLET_CLOUD", cloud)]);
        let reference = Canonical::read(&with_suffix(reference), &settings).unwrap();
        assert_eq!(pattern.covers(&reference), expected, "{cloud}: {reference:?}");
    }
    let settings = settings(&[("AZURE_AUTHORITY_HOST", "https://login.example")]);
    let reference = Canonical::read(&with_suffix("akv://team-kv.SUFFIX/db"), &settings).unwrap();
    assert!(!pattern.covers(&reference), "no cloud, so that no vault has a name alone");
}

#[test]
fn a_reference_that_goes_elsewhere_by_its_path_is_refused_before_it_is_compared() {
    for reference in [
        "akv://team-kv/../other-kv/db",
        "akv://team-kv/%2e%2e/db",
        "akv://team-kv/d%62",
        "akv://team-kv//db",
        "akv://team-kv/db/../x",
        "akv://team-kv/db#x",
        "akv://user@team-kv/db",
        "akv://team-kv\\@evil/db",
        "akv://team-kv/db*",
        "akv://*/db",
        "https://team-kv.SUFFIX/secrets/../secrets/db",
        "http://team-kv.SUFFIX/secrets/db",
    ] {
        let read = Canonical::read(&with_suffix(reference), &settings(&[]));
        assert!(read.is_err(), "{reference}: {read:?}");
    }
}

#[test]
fn a_pattern_that_means_nothing_is_refused() {
    for (pattern, why) in [
        ("", "it is empty"),
        ("*", "it is not `akv://…`"),
        ("db", "it is not `akv://…`"),
        ("akv://team-kv", "it names a vault and no secret"),
        ("akv://team-kv/", "it names a vault and no secret"),
        ("akv://*", "it names a vault and no secret"),
        ("akv://*/", "it names a vault and no secret"),
        ("akv:///*", ""),
        ("akv://team kv/*", ""),
        ("akv://t/*", "a vault's name has 3 to 24"),
        ("akv://te_am*/x", "its vault is none"),
        ("akv://u*@team-kv/x", "its vault is none"),
        ("akv://team-kv/a_*", "a secret's name has"),
        ("akv://team-kv/%2a*", "a secret's name has"),
        ("akv://team-kv/../*", "a secret's name has"),
        ("akv://team-kv/*/..", "a version has"),
        ("akv://team-kv/*/abc", "a version has"),
        ("akv://team-kv/*/*/*", "a version has"),
        ("akv://team-kv/*?json=/a", "it has options"),
        ("akv://team-kv/db?json=/a", "it has options"),
        ("akv://team-kv/db?optional", "it has options"),
        ("akv://team-kv/*#x", "it has a `*` and options"),
        ("ftp://team-kv/*", "it is not `akv://…`"),
        ("https://team-kv.example/keys/*", "its path is not"),
        ("https://team-kv.example/*", "its path is not"),
        ("http://team-kv.example/secrets/db", "over `https` only"),
        ("@Microsoft.KeyVault(VaultName=team-kv;Name=*)", "neither `SecretUri`"),
        ("@Microsoft.KeyVault(VaultName=a*;VaultName=b;SecretName=c)", "neither `SecretUri`"),
        ("@Microsoft.KeyVault(SecretName=*", "neither `SecretUri`"),
        ("@Other(SecretUri=*)", "neither `SecretUri`"),
    ] {
        let refused = Pattern::of_secrets(pattern).unwrap_err();
        assert!(refused.why.contains(why), "{pattern}: {}", refused.why);
        assert!(!refused.help.is_empty(), "{pattern}");
    }
    let long = Pattern::of_secrets(&format!("akv://team-kv/{}*", "a".repeat(5_000))).unwrap_err();
    assert!(long.why.contains("it is too long") && long.why.len() < 200, "{}", long.why);
}

/// What [`is_like`] does, without its order.
fn is_like_by_trial(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => {
            let most = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=most).any(|count| is_like_by_trial(rest, &text[count..]))
        }
        Some((first, rest)) => text.first() == Some(first) && is_like_by_trial(rest, &text[1..]),
    }
}

proptest! {
    #[test]
    fn stars_are_tried_in_an_order_that_misses_nothing(pattern in "[ab*/]{0,9}", text in "[ab/]{0,12}") {
        let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(is_like(pattern, text), is_like_by_trial(pattern, text));
    }

    #[test]
    fn no_text_of_a_policy_makes_its_parser_panic(text in ".{0,200}") {
        let _ = parse(&text, Path::new("p.toml"));
    }

    #[test]
    fn no_text_like_a_policy_makes_its_parser_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "[[allow]]\n", "[audit]\n", "[allow.x]\n", "allow", "audit", ".", "reference", " = ", "\"", "'", "\"\"\"",
                "akv://team-kv/*", "@Microsoft.KeyVault(", ")", "versions", "latest", "user", "program", "[", "]",
                "{", "}", ",", "\n", "\\u", "*", "/", "1", "2020-01-01", "#", "\u{e9}", "\0", "\r",
            ]),
            0..24,
        ),
    ) {
        let text = parts.concat();
        if let Ok(policy) = parse(&text, Path::new("p.toml")) {
            let _ = policy.rules().count();
        }
    }

    #[test]
    fn no_pattern_makes_its_parser_panic(text in "(akv|https|http|@Microsoft.KeyVault)?[a-z*:/@().;=?#%é-]{0,40}") {
        if let Ok(pattern) = Pattern::parse(&text) {
            prop_assert_eq!(Pattern::parse(&pattern.text()).map(|it| it.text()).ok(), Some(pattern.text()));
        }
    }

    #[test]
    fn what_is_not_literally_under_a_pattern_is_never_allowed(
        start in prop::sample::select(vec![
            "akv://team-kv/train-", "AKV://TEAM-KV/", "akv://team-kv", "akv://", "https://team-kv.SUFFIX/secrets/train-",
            "https://team-kv.SUFFIX", "http://127.0.0.1/secrets/", "@Microsoft.KeyVault(VaultName=team-kv;SecretName=",
        ]),
        rest in "[a-zA-Z0-9:/.?%@#*()=;-]{0,24}",
    ) {
        let pattern = Pattern::of_secrets("akv://team-kv/train-*").unwrap();
        let text = with_suffix(start) + &rest;
        if let Ok(reference) = Canonical::read(&text, &settings(&[PLAIN])) {
            let under = with_suffix("akv://team-kv.SUFFIX/train-");
            let is_under = reference.secret().strip_prefix(under.as_str()).is_some_and(|it| !it.contains('/'));
            prop_assert_eq!(pattern.covers(&reference), is_under, "{}", text);
        }
    }
}
