//! Requests to the host's internal identity endpoint. The first line is the target, the second the secret
//! that the request shows; headers follow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_core::call::Memory;
use vaultlet_core::serve::{Incoming, SECRET_HEADER, serve};
use vaultlet_core::settings::Role;
use vaultlet_fuzz::{FuzzContext, SECRET, answer, first_line};

fuzz_target!(|data: &[u8]| {
    let (target, rest) = first_line(data);
    let (shown, rest) = first_line(rest);
    // The response repeats the resource, so a target with a secret in it proves nothing.
    if target.contains(SECRET) || target.contains("msi-s3cret") {
        return;
    }
    let headers = answer(&[b"200\n", rest].concat()).headers;
    let headers = headers.into_iter().filter(|(name, _)| name != SECRET_HEADER);
    let mut headers: Vec<_> = headers
        .filter_map(|(name, value)| Some((name, String::from_utf8(value).ok()?.into())))
        .collect();
    headers.push((SECRET_HEADER.to_owned(), shown.into()));
    let incoming =
        Incoming { is_get: true, target: target.to_owned(), host: Some("broker".into()), headers };
    let token = answer(b"200\n\n{\"access_token\":\"T0KEN\",\"expires_in\":3600}");
    let variables = [
        ("MSI_ENDPOINT", "http://127.0.0.1:40000/token"),
        ("MSI_SECRET", "msi-s3cret"),
        (Role::BROKER_SECRET, SECRET),
    ];
    let context = FuzzContext::new(&variables, vec![token]);
    let served = context.run(|| serve(&context, &Memory::default(), &incoming));
    assert_eq!(served.status == 401, shown != SECRET);
    assert!(served.status == 200 || !served.body.contains("T0KEN"));
    assert!(!served.body.contains(SECRET) && !served.body.contains("msi-s3cret"));
});
