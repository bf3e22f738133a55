//! Properties of routes: whatever begins with a route's prefix leads to the route's server, or is malformed.

use proptest::prelude::*;

use super::*;
use crate::{
    planner::{self, Route, Subject},
    vault::reference::prefix,
};

/// Pieces of references, and of what might make a server end elsewhere than it seems to.
const PIECES: [&str; 44] = [
    "akv",
    "AKV",
    "https",
    "HtTpS",
    "http",
    "ftp",
    "://",
    ":/",
    "/",
    "//",
    "\\",
    "?",
    "#",
    "@",
    ":",
    "%",
    "%2F",
    "%40",
    "%5c",
    ";",
    "&",
    "=",
    "(",
    ")",
    "[",
    "]",
    "::1",
    ".",
    "..",
    " ",
    "\t",
    "\u{a0}",
    "job",
    "other",
    "job.vault.azure.net",
    "evil.example",
    "127.0.0.1",
    "localhost",
    "8443",
    "secrets/",
    "SECRETS",
    "db-password",
    "0123456789abcdef0123456789abcdef",
    "json=/a",
];
const SETTINGS: [&[(&str, &str)]; 4] = [
    &[],
    &[("VAULTLET_CLOUD", "china")],
    &[("VAULTLET_ALLOW_HTTP_LOOPBACK", "1")],
    &[("AZURE_AUTHORITY_HOST", "login.example")],
];

fn owned(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

/// Anything, of pieces and of any characters.
fn rests() -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![9 => prop::sample::select(&PIECES[..]).prop_map(String::from), 1 => ".{0,3}"];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Servers, the most of them valid.
fn vaults() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[Jj]ob[a-z0-9-]{0,4}(\\.[a-z]{1,4}){0,2}(:[0-9]{1,4})?".prop_map(String::from),
        1 => Just("localhost:8443".into()),
        1 => Just("[::1]:8443".into()),
        1 => Just("u:p@job.example".into()),
        1 => rests(),
    ]
}

/// Beginnings of references, the most of them valid.
fn beginnings() -> impl Strategy<Value = String> {
    const FORMS: [(&str, &str); 8] = [
        ("akv://", "/"),
        (" AKV://", "/"),
        ("https://", "/secrets/"),
        ("\u{a0}\tHttps://", "/secrets/"),
        ("http://", "/secrets/"),
        ("akv://", ""),
        ("https://", "/"),
        ("@Microsoft.KeyVault(SecretUri=https://", "/secrets/"),
    ];
    (prop::sample::select(&FORMS[..]), vaults())
        .prop_map(|((scheme, end), vault)| format!("{scheme}{vault}{end}"))
}

/// Whether the secret's name and what follows it may be anything or are valid.
fn ends() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a".to_owned()),
        Just("b-2/0123456789ABCDEF0123456789abcdef?json=/x/y ".to_owned()),
        rests(),
    ]
}

fn route(reference: &str, settings: &[(&str, &str)]) -> Result<Route, Error> {
    planner::route(reference, &owned(settings))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_prefix_leads_to_one_server(
        begin in beginnings(),
        end in ends(),
        other in ends(),
        settings in prop::sample::select(&SETTINGS[..]),
    ) {
        let text = format!("{begin}{end}");
        let Ok(found) = route(&text, settings) else { return Ok(()) };
        let is_app_service = text.trim_start().starts_with('@');
        prop_assert_eq!(found.prefix.is_none(), is_app_service, "{:?}", text);
        let Some(prefix) = found.prefix else { return Ok(()) };
        prop_assert!(text.starts_with(&prefix), "{:?}: {:?}", text, prefix);
        for end in [&end, &other, "a"] {
            let text = format!("{prefix}{end}");
            match route(&text, settings) {
                Ok(same) => {
                    prop_assert_eq!(same.server, found.server.clone(), "{:?}", text);
                    prop_assert_eq!(same.prefix.as_ref(), Some(&prefix), "{:?}", text);
                }
                Err(error) => prop_assert_eq!(&error.id, "reference-malformed", "{:?}", text),
            }
        }
    }

    #[test]
    fn even_the_prefix_of_a_malformed_reference_is_sound(
        text in prop_oneof![beginnings(), rests()],
        ends in prop::collection::vec(ends(), 2..5),
        settings in prop::sample::select(&SETTINGS[..]),
    ) {
        let Some(prefix) = prefix(&text) else { return Ok(()) };
        let servers = ends.iter().filter_map(|end| route(&format!("{prefix}{end}"), settings).ok());
        let servers: Vec<_> = servers.map(|found| found.server).collect();
        prop_assert!(servers.windows(2).all(|pair| pair[0] == pair[1]), "{:?} {:?}", prefix, ends);
    }

    #[test]
    fn a_route_is_what_its_reference_resolves_to(
        begin in prop_oneof![beginnings(), rests()],
        end in ends(),
        settings in prop::sample::select(&SETTINGS[..]),
    ) {
        let text = format!("{begin}{end}");
        let resolved = planner::resolve(&Subject::Secret(text.clone()), &owned(settings));
        let (server, resolved) = (route(&text, settings).map(|it| it.server), resolved.map(|it| it.server));
        prop_assert_eq!(format!("{server:?}"), format!("{resolved:?}"));
    }
}

#[test]
fn a_prefix_is_as_the_caller_wrote_it() {
    let loopback = [("VAULTLET_ALLOW_HTTP_LOOPBACK", "1")];
    for (text, prefix, host) in [
        ("akv://job/a", Some("akv://job/"), "job.vault.azure.net"),
        (" AKV://Job/a?json=/x/y", Some(" AKV://Job/"), "job.vault.azure.net"),
        ("akv://job.example:8443/a/", Some("akv://job.example:8443/"), "job.example"),
        ("https://JOB.example/secrets/a", Some("https://JOB.example/secrets/"), "job.example"),
        ("http://[::1]:80/secrets/a", Some("http://[::1]:80/secrets/"), "::1"),
        ("@Microsoft.KeyVault(VaultName=job;SecretName=a)", None, "job.vault.azure.net"),
        ("@Microsoft.KeyVault(SecretUri=https://job.example/secrets/a)", None, "job.example"),
    ] {
        let found = route(text, &loopback).expect(text);
        assert_eq!((found.prefix.as_deref(), found.server.host.as_str()), (prefix, host), "{text}");
    }
    for text in [
        "akv://job",
        "akv://job?/a",
        "akv://job#/a",
        "https://job/keys/a",
        "x://job/a",
        "job/a",
        "",
    ] {
        assert_eq!(prefix(text), None, "{text}");
    }
}
