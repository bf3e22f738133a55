//! Properties of requests: values that go into a URL or a form come out of it unchanged.

use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use super::*;
use crate::{
    serve::{Incoming, serve},
    token::UserAssigned,
    words::form::Form,
};

const HOSTS: &str = "http://identity.vaultlet.internal";

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

fn identities() -> impl Strategy<Value = Option<UserAssigned>> {
    let guid = "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    prop_oneof![
        Just(None),
        guid.prop_map(|id| UserAssigned::client_id(&id)),
        guid.prop_map(|id| UserAssigned::object_id(&id)),
        "/subscriptions/[A-Za-z0-9/_.()-]{1,60}".prop_map(|id| UserAssigned::resource_id(&id)),
    ]
}

/// The request that an instance sends to the host's endpoint.
fn asked(request: &TokenRequest) -> Incoming {
    let world = ScriptedContext::new(&[("VAULTLET_IDENTITY_ENDPOINT", &format!("{HOSTS}/token"))]);
    // Any request matches, with a header or two.
    let pattern = match &request.claims {
        Some(_) => "GET <*> cache-control: no-cache vaultlet-claims: <*>",
        None => "GET <*>",
    };
    let world = world.answer(pattern, 500, &[], "");
    ask_for(&world, &Memory::default(), request.clone()).unwrap_err();
    let sent = world.sent().remove(0);
    let mut words = sent.split(' ').skip(1);
    let target = words.next().unwrap().strip_prefix(HOSTS).unwrap().to_string();
    let mut headers = vec![("vaultlet-endpoint-secret".to_string(), "ep-s3cret".into())];
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        headers.push((name.trim_end_matches(':').to_string(), value.into()));
    }
    Incoming { is_get: true, target, host: None, headers }
}

proptest! {
    #[test]
    fn a_form_decodes_to_its_fields(values in prop::collection::vec(any::<String>(), 4)) {
        let names = ["scope", "assertion", "client_id", "username"];
        let form = names.iter().zip(&values).fold(Form::default(), |f, (n, v)| f.text(n, v));
        let body = form.finish();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~%&=".contains(&b);
        prop_assert!(body.reveal().bytes().all(plain), "{}", body.reveal());
        let read: Vec<_> = body
            .reveal()
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_string(), decoded(value)))
            .collect();
        let mut sent: Vec<_> =
            names.iter().zip(&values).map(|(n, v)| (n.to_string(), v.clone())).collect();
        sent.sort();
        prop_assert_eq!(read, sent);
    }

    #[test]
    fn resource_and_identity_reach_the_local_endpoint(
        resource in "[A-Za-z0-9_.:/-]{1,80}",
        identity in identities(),
    ) {
        let request = TokenRequest::parse(&resource, None, None, identity.clone()).unwrap();
        let world = ScriptedContext::new(&[
            ("VAULTLET_ENDPOINT_SECRET", "ep-s3cret"),
            ("IDENTITY_ENDPOINT", "http://127.0.0.1:41000/token"),
            ("IDENTITY_HEADER", "msi-s3cret"),
        ]);
        let world = world.answer("GET <*> x-identity-header: msi-s3cret", 200, &[], ML_TOKEN);
        let served = world.run(|| serve(&world, &Memory::default(), &asked(&request)));
        prop_assert_eq!(served.status, 200);
        let sent = world.sent().remove(0);
        let query = sent.split(' ').nth(1).unwrap().split_once('?').unwrap().1.to_string();
        let pairs: Vec<_> =
            query.split('&').map(|p| p.split_once('=').unwrap()).map(|(n, v)| (n, decoded(v))).collect();
        let mut expected = vec![("api-version", "2019-08-01".to_string()), ("resource", request.resource)];
        expected.extend(identity.map(|id| match id {
            UserAssigned::Client(id) => ("client_id", id),
            UserAssigned::Object(id) => ("object_id", id),
            UserAssigned::Resource(id) => ("mi_res_id", id),
        }));
        prop_assert_eq!(pairs, expected);
    }

    #[test]
    fn tenant_and_claims_reach_the_authority(
        resource in "https://[a-z0-9.]{1,40}",
        tenant in "[a-z0-9][a-z0-9.-]{0,40}",
        name in "[a-z_]{1,12}",
        value in any::<String>(),
    ) {
        let claims = crate::words::json::Object::default().text(&name, &value).finish().to_string();
        let request = TokenRequest::parse(&resource, Some(tenant.clone()), Some(claims), None).unwrap();
        let world = ScriptedContext::new(&[
            ("VAULTLET_ENDPOINT_SECRET", "ep-s3cret"),
            ("AZURE_CLIENT_ID", GUID),
            ("AZURE_TENANT_ID", "own.example"),
            ("AZURE_CLIENT_SECRET", "hunter2"),
            ("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "*"),
        ]);
        let world = world.answer(
            "POST <*> content-type: application/x-www-form-urlencoded | <*>",
            200,
            &[],
            ML_TOKEN,
        );
        let served = world.run(|| serve(&world, &Memory::default(), &asked(&request)));
        prop_assert_eq!(served.status, 200);
        let sent = world.sent().remove(0);
        let url = format!("POST https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token ");
        prop_assert!(sent.starts_with(&url), "{}", sent);
        let body = sent.split_once(" | ").unwrap().1;
        let field = |name: &str| {
            let found = body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            decoded(found.unwrap())
        };
        prop_assert_eq!(field("scope"), format!("{}/.default", request.resource));
        let sent = field("claims");
        let sent = crate::words::json::parse_text(&sent).unwrap();
        if name != "access_token" {
            prop_assert_eq!(sent.text(&name), Some(value));
        }
        prop_assert!(sent.get("access_token").and_then(|it| it.get("xms_cc")).is_some());
    }
}
