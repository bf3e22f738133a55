//! Properties of challenges: one about the vault itself is parsed in every spelling, and one about
//! another host is never trusted.

use proptest::prelude::*;

use super::*;
use crate::{token::Audience, vault::challenge::Challenge, words::url::Url};

/// The labels of a host name, at least two.
fn labels() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-z][a-z0-9]{0,8}", 2..6)
}

fn believed(header: &str, vault: &str) -> Option<Audience> {
    let vault = Url::parse(&format!("https://{vault}/")).unwrap();
    Challenge::parse([header].into_iter())?.verify(&vault, false).ok()
}

/// Whether a host is the other one or a parent domain of it.
fn is_above(above: &str, host: &str) -> bool {
    host.strip_suffix(above).is_some_and(|rest| rest.ends_with('.'))
}

proptest! {
    #[test]
    fn a_challenge_is_parsed_in_every_spelling(
        labels in labels(),
        up in 1..5_usize,
        scheme in "[Bb][Ee][Aa][Rr][Ee][Rr]",
        tenant in "[a-z0-9][a-z0-9-]{0,20}",
        slash in "/?",
        before in prop::sample::select(vec!["", "Basic realm=\"x, Bearer y\", ", "PoP, ", "Negotiate abc==, "]),
        quote in prop::sample::select(vec!["\"", ""]),
        comma in prop::sample::select(vec![", ", ",", " , "]),
        swapped in any::<bool>(),
    ) {
        let up = up.min(labels.len() - 1);
        let (vault, resource) = (labels.join("."), format!("https://{}", labels[up..].join(".")));
        let mut parameters = [
            format!("authorization={quote}https://login.example/{tenant}{quote}"),
            format!("resource={quote}{resource}{slash}{quote}"),
        ];
        if swapped {
            parameters.reverse();
        }
        let header = format!("{before}{scheme} {}", parameters.join(comma));
        let expected = Some(Audience { resource, tenant: Some(tenant) });
        prop_assert_eq!(believed(&header, &vault), expected, "{}", header);
    }

    #[test]
    fn a_parent_domain_ends_at_a_dot(labels in labels(), cut in 0..54_usize) {
        let host = labels.join(".");
        let (before, end) = host.split_at(cut.min(host.len() - 1));
        prop_assume!(!end.starts_with('.'));
        let header = format!("Bearer resource=\"https://{end}\"");
        prop_assert_eq!(believed(&header, &host).is_some(), before.ends_with('.'), "{}", header);
    }

    #[test]
    fn scheme_and_port_must_be_the_vaults(
        labels in labels(),
        up in 1..5_usize,
        scheme in prop::sample::select(vec!["https", "http", "ftp"]),
        port in prop_oneof![Just(80), Just(443), Just(8443), 0..=u16::MAX],
        vault_port in prop_oneof![Just(443), Just(8443), 1..=u16::MAX],
    ) {
        let parent = labels[up.min(labels.len() - 1)..].join(".");
        let header = format!("Bearer resource=\"{scheme}://{parent}:{port}\"");
        let own = believed(&header, &format!("{}:{vault_port}", labels.join("."))).is_some();
        prop_assert_eq!(own, scheme == "https" && port == vault_port, "{}", header);
    }

    #[test]
    fn a_challenge_for_another_host_is_refused(
        labels in labels(),
        up in 0..5_usize,
        label in "[a-z0-9-]{0,6}",
        more in prop::sample::select(vec![".", "", ":8443", "@evil.example", "%2eevil.example", "#", "?", "\\", "..", ".evil.example"]),
        front in prop::sample::select(vec!["", "user@", "evil.example/", "evil.example#", "evil.example?", "evil.example\\"]),
        scheme in prop::sample::select(vec!["https://", "http://", "HTTPS://", "//", ""]),
    ) {
        let host = labels.join(".");
        let above = labels[up.min(labels.len())..].join(".");
        let resource = format!("{scheme}{front}{label}{above}{more}");
        let header = format!("Bearer resource=\"{resource}\"");
        if let Some(audience) = believed(&header, &host) {
            let url = Url::parse(&audience.resource).unwrap();
            prop_assert!(url.secure && url.port == 443 && is_above(&url.host, &host), "{}", header);
        }
    }

    #[test]
    fn no_header_makes_a_challenge_for_another_host_trusted(text in "\\PC{0,200}", bearer in any::<bool>()) {
        let header = if bearer { format!("Bearer resource={text}") } else { text };
        if let Some(audience) = believed(&header, "job.vault.corp.example") {
            let url = Url::parse(&audience.resource).unwrap();
            prop_assert!(is_above(&url.host, "job.vault.corp.example"), "{}", header);
        }
    }

    #[test]
    fn only_the_agents_key_files_are_read(
        stem in "[A-Za-z0-9_-]{1,32}",
        odd in "[A-Za-z0-9_./\\\\~% -]{0,32}",
        quote in prop::sample::select(vec!["\"", ""]),
    ) {
        const FOLDER: &str = "/var/opt/azcmagent/tokens";
        const ENDPOINT: &str = "http://127.0.0.1:40342/token";
        const REQUEST: &str = "GET http://127.0.0.1:40342/token?api-version=2020-06-01&resource=https%3A%2F%2Fvault.azure.net";
        let variables = [("IDENTITY_ENDPOINT", ENDPOINT), ("IMDS_ENDPOINT", ENDPOINT)];
        let plain = format!("{REQUEST} metadata: true");
        let with_key = format!("{REQUEST} authorization: Basic arc-k3y metadata: true");
        let own = format!("{FOLDER}/{stem}.key");
        let realm = format!("Basic realm={quote}{own}{quote}");
        let world = ScriptedContext::new(&variables)
            .file(&own, "arc-k3y")
            .answer(&plain, 401, &[("www-authenticate", &realm)], "")
            .answer(&with_key, 200, &[], ML_TOKEN);
        prop_assert!(ask(&world, &Memory::default()).is_ok());

        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        prop_assume!(odd.bytes().any(|b| !is_name(b)));
        for path in [format!("{FOLDER}/{odd}.key"), format!("{FOLDER}{odd}"), odd.clone()] {
            let realm = format!("Basic realm={quote}{path}{quote}");
            // If the file were read, there would be a second request, which is not in the script.
            let world = ScriptedContext::new(&variables)
                .file(path.trim(), "arc-k3y")
                .answer(&plain, 401, &[("www-authenticate", &realm)], "");
            let error = ask(&world, &Memory::default()).unwrap_err();
            let ids = ["identity-challenge-refused", "identity-unexpected"];
            prop_assert!(ids.contains(&error.id.as_str()), "{}: {}", path, error.line());
        }
    }
}
