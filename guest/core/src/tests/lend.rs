use super::*;
use crate::serve::{Incoming, Reply, lend::variables, serve};

const ADDRESS: &str = "127.0.0.1:40123";
const SECRET: &str = "lent0secret";
const TOKEN: &str = r#"{"access_token":"T0KEN.x","expires_on":1700003600,"refresh_on":1700003300,"resource":"https://vault.azure.net","source":"managed-identity","endpoint":"azure-ml","client_id":"c"}"#;
const HOST: &str = "http://identity.vaultlet.internal/token";

fn front(more: &[(&'static str, &'static str)]) -> ScriptedContext {
    let all = [
        ("VAULTLET_IDENTITY_ENDPOINT", HOST),
        ("VAULTLET_LENT_SECRET", SECRET),
        ("VAULTLET_LENT_AUTHORITY", ADDRESS),
    ];
    ScriptedContext::new(&all.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
}

fn asked(target: &str, headers: &[(&str, &str)]) -> Incoming {
    Incoming {
        is_get: true,
        target: target.into(),
        host: Some(ADDRESS.into()),
        headers: headers.iter().map(|(n, v)| (n.to_string(), (*v).into())).collect(),
    }
}

fn served(world: &ScriptedContext, asked: &Incoming) -> Reply {
    world.run(|| serve(world, &Memory::default(), asked))
}

/// A request of each protocol, as its clients send it.
const PROTOCOLS: [(&str, &[(&str, &str)]); 4] = [
    (
        "/msi/token?api-version=2019-08-01&resource=https://vault.azure.net",
        &[("x-identity-header", SECRET)],
    ),
    (
        "/MSI/auth?api-version=2017-09-01&resource=https%3A%2F%2Fvault.azure.net&clientid=",
        &[("secret", SECRET)],
    ),
    ("/OBO/lent0secret/token?resource=https://vault.azure.net", &[]),
    (
        "/lent0secret/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net",
        &[("metadata", "true")],
    ),
];

#[test]
fn each_protocol_returns_the_token_in_its_own_form() {
    for ((target, headers), expected) in PROTOCOLS.iter().zip([
        r#""expires_in":"3600","expires_on":"1700003600""#,
        r#""expires_in":3600,"expires_on":1700003600"#,
        r#""expires_in":3600,"expires_on":1700003600"#,
        r#""expires_in":"3600","expires_on":"1700003600""#,
    ]) {
        let request = format!("GET {HOST}?resource=https%3A%2F%2Fvault.azure.net");
        let world = front(&[]).answer(&request, 200, &[], TOKEN);
        let served = served(&world, &asked(target, headers));
        assert_eq!(served.status, 200, "{target}");
        let expected = format!(
            r#"{{"access_token":"T0KEN.x","client_id":"c",{expected},"resource":"https://vault.azure.net","token_type":"Bearer"}}"#
        );
        assert_eq!(served.body.as_str(), expected);
        assert!(served.headers.contains(&("cache-control", "no-store".into())));
    }
}

#[test]
fn without_the_secret_every_request_gets_401() {
    let paths = [
        "/msi/token",
        "/MSI/auth",
        "/OBO/wrong/token",
        "/OBO//token",
        "/OBO/token",
        "/wrong/metadata/identity/oauth2/token",
        "/metadata/identity/oauth2/token",
        "/token",
        "/",
        "/elsewhere",
    ];
    for path in paths {
        for headers in [
            &[][..],
            &[("secret", "wrong"), ("x-identity-header", "wrong"), ("metadata", "true")],
            &[("secret", ""), ("x-identity-header", "")],
            &[
                ("secret", SECRET),
                ("secret", SECRET),
                ("x-identity-header", SECRET),
                ("x-identity-header", SECRET),
            ],
            &[("vaultlet-endpoint-secret", SECRET)],
        ] {
            let target = format!("{path}?resource=https://vault.azure.net");
            for _ in 0..2 {
                let served = served(&front(&[]), &asked(&target, headers));
                assert_eq!((served.status, served.body.as_str()), (401, ""), "{path} {headers:?}");
            }
        }
    }
}

#[test]
fn requests_for_another_host_and_forwarded_requests_are_refused() {
    for (target, headers) in PROTOCOLS {
        let other = Incoming { host: Some("evil.example:40123".into()), ..asked(target, headers) };
        let none = Incoming { host: None, ..asked(target, headers) };
        let sent_on = |name: &'static str| {
            let more = headers.iter().copied().chain([(name, "x")]).collect::<Vec<_>>();
            asked(target, &more)
        };
        let all = [other, none, sent_on("x-forwarded-for"), sent_on("forwarded"), sent_on("via")];
        for asked in all {
            let served = served(&front(&[]), &asked);
            assert_eq!((served.status, served.body.as_str()), (403, ""), "{asked:?}");
        }
    }
}

#[test]
fn only_lent_resources_get_a_token() {
    for (listed, resource, given) in [
        ("", "https://management.azure.com", false),
        ("", "https://vault.azure.net/.default", true),
        ("", "https://vault.azure.net/", true),
        ("https://a.example, https://management.azure.com/", "https://management.azure.com", true),
        ("https://a.example", "https://vault.azure.net", false),
    ] {
        let mut world = front(&[]);
        if !listed.is_empty() {
            world = front(&[("VAULTLET_LENT_RESOURCES", listed)]);
        }
        if given {
            world = world.answer(&format!("GET {HOST}?resource=<*>"), 200, &[], TOKEN);
        }
        let target = format!("/MSI/auth?resource={resource}");
        let served = served(&world, &asked(&target, &[("secret", SECRET)]));
        assert_eq!(served.status, if given { 200 } else { 403 }, "{listed} {resource}");
        assert_eq!(served.body.contains("not among the resources"), !given);
    }
}

#[test]
fn each_protocol_selects_identities_and_may_bypass_the_cache() {
    let resource = "resource=https%3A%2F%2Fvault.azure.net";
    for (path, id, canonical) in [
        ("/MSI/auth", format!("clientid={GUID}"), format!("client_id={GUID}")),
        ("/msi/token", format!("object_id={GUID}"), format!("object_id={GUID}")),
        (
            "/msi/token",
            "mi_res_id=/subscriptions/a".into(),
            "resource_id=%2Fsubscriptions%2Fa".into(),
        ),
    ] {
        let request = format!("GET {HOST}?{resource}&{canonical} cache-control: max-age=5");
        let world = front(&[]).answer(&request, 200, &[], TOKEN);
        let headers =
            [("secret", SECRET), ("x-identity-header", SECRET), ("cache-control", "No-Cache")];
        let target = format!("{path}?{resource}&{id}");
        assert_eq!(served(&world, &asked(&target, &headers)).status, 200, "{target}");
    }
    for query in [
        "",
        "resource",
        "resource=a&resource=b",
        "resource=%ff",
        "resource=a%20b",
        "resource=a&clientid=x",
        "resource=a&clientid=y&object_id=z",
    ] {
        let target = format!("/MSI/auth?{query}");
        let served = served(&front(&[]), &asked(&target, &[("secret", SECRET)]));
        assert_eq!(served.status, 400, "{query}");
        assert!(served.body.contains("argument-malformed"));
    }
}

#[test]
fn errors_have_the_protocols_form_and_the_error_id() {
    let record = r#"{"error":{"id":"identity-refused","kind":"unauthenticated","message":"no \"id\"","help":"assign one"}}"#;
    for ((target, headers), expected) in PROTOCOLS.iter().zip([
        r#"{"statusCode":400,"message":"no \"id\"; assign one (identity-refused)"}"#,
        r#"{"error":{"code":"identity-refused","message":"no \"id\"; assign one (identity-refused)"}}"#,
        r#"{"error":{"code":"identity-refused","message":"no \"id\"; assign one (identity-refused)"}}"#,
        r#"{"error":"identity-refused","error_description":"no \"id\"; assign one (identity-refused)"}"#,
    ]) {
        let world = front(&[]).answer(&format!("GET {HOST}?resource=<*>"), 502, &[], record);
        let served = served(&world, &asked(target, headers));
        assert_eq!((served.status, served.body.as_str()), (400, expected));
    }
    for (kind, status) in [("throttled", 429), ("unavailable", 503), ("internal", 500)] {
        let record = format!(
            r#"{{"error":{{"id":"x","kind":"{kind}","message":"m","retryAfterMs":1500}}}}"#
        );
        let world = front(&[]).answer(&format!("GET {HOST}?resource=<*>"), 502, &[], record);
        let served = served(&world, &asked(PROTOCOLS[1].0, PROTOCOLS[1].1));
        assert_eq!(served.status, status);
        assert!(served.headers.contains(&("retry-after", "2".into())));
    }
    let (target, _) = PROTOCOLS[3];
    let served = served(&front(&[]), &asked(target, &[]));
    assert_eq!(served.status, 400);
    assert!(served.body.contains("Metadata"));
}

#[test]
fn the_variables_lead_to_the_lent_endpoint() {
    let variables = variables(ADDRESS, SECRET);
    let of = |name: &str| &variables.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!(of("MSI_ENDPOINT"), "http://127.0.0.1:40123/MSI/auth");
    assert_eq!(of("OBO_ENDPOINT"), "http://127.0.0.1:40123/OBO/lent0secret/token");
    assert_eq!(of("AZURE_POD_IDENTITY_AUTHORITY_HOST"), "http://127.0.0.1:40123/lent0secret");
}

/// However a child spells a listed resource or an identity, the host gets the listed spelling, and its
/// cache answers.
#[test]
fn one_spelling_of_a_resource_and_an_identity_is_asked_for() {
    let vault = "https%3A%2F%2Fvault.azure.net";
    let upper = GUID.to_uppercase();
    let lower = GUID.to_lowercase();
    for (listed, asked_for, sent) in [
        ("", "https://vault.azure.net".to_owned(), vault.to_owned()),
        ("", "https://vault.azure.net/".into(), vault.into()),
        ("", "https://vault.azure.net///".into(), vault.into()),
        ("", "https://vault.azure.net/.default".into(), vault.into()),
        ("", "https://vault.azure.net//.default".into(), vault.into()),
        ("", "HTTPS://VAULT.azure.net".into(), vault.into()),
        ("", "https%3a%2f%2Fvault.azure.net".into(), vault.into()),
        ("", "%68ttps://vault%2Eazure.net/".into(), vault.into()),
        ("https://a.example/ ,b", "https://A.example".into(), "https%3A%2F%2Fa.example%2F".into()),
        (
            "https://a.example/.default",
            "https://a.example".into(),
            "https%3A%2F%2Fa.example".into(),
        ),
        ("Api-Of-Ours", "api-of-ours".into(), "Api-Of-Ours".into()),
        ("", format!("{vault}&client_id={upper}"), format!("{vault}&client_id={lower}")),
        (
            "",
            format!("{vault}&mi_res_id=/SUBSCRIPTIONS/A"),
            format!("{vault}&resource_id=%2Fsubscriptions%2Fa"),
        ),
    ] {
        let world = match listed {
            "" => front(&[]),
            listed => front(&[("VAULTLET_LENT_RESOURCES", listed)]),
        };
        let world = world.answer(&format!("GET {HOST}?resource={sent}"), 200, &[], TOKEN);
        let target = format!("/msi/token?resource={asked_for}");
        let served = served(&world, &asked(&target, &[("x-identity-header", SECRET)]));
        assert_eq!(served.status, 200, "{asked_for}: {}", served.body.as_str());
    }
}

/// An identity that the lender named is the only one that is lent.
#[test]
fn an_identity_that_the_lender_did_not_name_is_refused() {
    const OTHER: &str = "99999999-9999-4999-8999-999999999999";
    let lent = format!("client_id={GUID}");
    let is_lent = |world: ScriptedContext, parameter: &str| {
        let world = world.answer(&format!("GET {HOST}?<*>"), 200, &[], TOKEN);
        let target = format!("/msi/token?resource=https://vault.azure.net{parameter}");
        let served = served(&world, &asked(&target, &[("x-identity-header", SECRET)]));
        (served.status, served.body.as_str().to_owned())
    };
    for parameter in [
        String::new(),
        format!("&client_id={GUID}"),
        format!("&client_id={}", GUID.to_uppercase()),
        format!("&client_id={}", GUID.replacen('-', "%2d", 1)),
    ] {
        let world = front(&[("VAULTLET_LENT_IDENTITY", &*lent.clone().leak())]);
        assert_eq!(is_lent(world, &parameter).0, 200, "{parameter}");
    }
    for ((target, headers), parameter) in [
        (PROTOCOLS[0], format!("&client_id={OTHER}")),
        (PROTOCOLS[0], format!("&object_id={GUID}")),
        (PROTOCOLS[0], format!("&principal_id={OTHER}")),
        (PROTOCOLS[0], "&mi_res_id=/subscriptions/a".into()),
        (PROTOCOLS[0], "&msi_res_id=/subscriptions/a".into()),
        (PROTOCOLS[0], "&resource_id=/subscriptions/a".into()),
        (PROTOCOLS[1], format!("client_id={OTHER}")),
        (PROTOCOLS[1], OTHER.to_owned()),
        (PROTOCOLS[1], format!("&object_id={OTHER}")),
        (PROTOCOLS[3], format!("&client_id={OTHER}")),
        (PROTOCOLS[3], format!("&object_id={OTHER}")),
        (PROTOCOLS[3], "&msi_res_id=/subscriptions/a".into()),
    ] {
        let world = front(&[("VAULTLET_LENT_IDENTITY", &*lent.clone().leak())]);
        let target = match parameter.starts_with("client_id") {
            true => format!("{}&{parameter}", target.replace("&clientid=", "")),
            false => format!("{target}{parameter}"),
        };
        for _ in 0..2 {
            let served = served(&world, &asked(&target, headers));
            let body = served.body.as_str();
            assert_eq!(served.status, 400, "{target}: {body}");
            assert!(body.contains("identity-id-unsupported"), "{target}: {body}");
            assert!(body.contains("--any-identity"), "{target}: {body}");
        }
    }
    // Nobody named one.
    assert_eq!(is_lent(front(&[]), &format!("&client_id={OTHER}")).0, 200);
}

/// The lender's own choice is the same request, whether a child names it or not.
#[test]
fn naming_the_identity_of_the_settings_is_naming_none() {
    for (setting, parameter) in
        [("VAULTLET_CLIENT_ID", "client_id"), ("VAULTLET_OBJECT_ID", "object_id")]
    {
        let lent = format!("{parameter}={GUID}").leak();
        let request = format!("GET {HOST}?resource=https%3A%2F%2Fvault.azure.net");
        let world = front(&[(setting, GUID), ("VAULTLET_LENT_IDENTITY", lent)]);
        let world = world.answer(&request, 200, &[], TOKEN);
        let target = format!("/msi/token?resource=https://vault.azure.net&{lent}");
        let served = served(&world, &asked(&target, &[("x-identity-header", SECRET)]));
        assert_eq!(served.status, 200, "{}", served.body.as_str());
    }
}

/// The broker says which identity the settings or variables name.
#[test]
fn the_identity_endpoint_tells_the_named_identity_to_the_host_alone() {
    const OTHER: &str = "99999999-9999-4999-8999-999999999999";
    for (variables, expected) in [
        (&[][..], String::new()),
        (&[("VAULTLET_CLIENT_ID", GUID), ("AZURE_CLIENT_ID", OTHER)], format!("client_id={GUID}")),
        (&[("VAULTLET_OBJECT_ID", GUID)], format!("object_id={GUID}")),
        (&[("VAULTLET_RESOURCE_ID", "/subscriptions/a")], "resource_id=/subscriptions/a".into()),
        (
            &[("AZURE_CLIENT_ID", GUID), ("DEFAULT_IDENTITY_CLIENT_ID", OTHER)],
            format!("client_id={GUID}"),
        ),
        (&[("DEFAULT_IDENTITY_CLIENT_ID", GUID)], format!("client_id={GUID}")),
        (&[("DEFAULT_IDENTITY_CLIENT_ID", "clientid")], String::new()),
    ] {
        let all = [("VAULTLET_ENDPOINT_SECRET", SECRET)];
        let all: Vec<_> = all.into_iter().chain(variables.iter().copied()).collect();
        let world = ScriptedContext::new(&all);
        let ask = |headers: &[(&str, &str)]| {
            let served = served(&world, &asked("/identity", headers));
            (served.status, served.body.as_str().to_owned())
        };
        assert_eq!(ask(&[("vaultlet-endpoint-secret", SECRET)]), (200, expected));
        assert_eq!(ask(&[]), (401, String::new()));
    }
}
