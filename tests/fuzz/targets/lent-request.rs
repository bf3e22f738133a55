//! Requests of children to a lent endpoint, in Azure's protocols. The first line is the target, the second
//! the `Host`; headers follow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_core::call::Memory;
use vaultlet_core::serve::{Incoming, lend, serve};
use vaultlet_core::settings::Role;
use vaultlet_fuzz::{FuzzContext, RESOURCE, SECRET, answer, first_line};

const AUTHORITY: &str = "127.0.0.1:40123";

fuzz_target!(|data: &[u8]| {
    let (target, rest) = first_line(data);
    let (authority, rest) = first_line(rest);
    let headers = answer(&[b"200\n", rest].concat()).headers;
    let headers: Vec<_> = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name, String::from_utf8(value).ok()?.into())))
        .collect();
    let knows =
        target.contains(SECRET) || data.windows(SECRET.len()).any(|w| w == SECRET.as_bytes());
    let incoming =
        Incoming { is_get: true, target: target.to_owned(), host: Some(authority.into()), headers };
    let token = answer(b"200\n\n{\"access_token\":\"T0KEN\",\"expires_in\":3600}");
    let variables = [
        ("MSI_ENDPOINT", "http://127.0.0.1:40000/token"),
        ("MSI_SECRET", "msi-s3cret"),
        (Role::FRONT_SECRET, SECRET),
        (lend::ADDRESS_VARIABLE, AUTHORITY),
        (lend::RESOURCES_VARIABLE, RESOURCE),
    ];
    let context = FuzzContext::new(&variables, vec![token]);
    let served = context.run(|| serve(&context, &Memory::default(), &incoming));
    if served.body.contains("T0KEN") {
        assert!(knows && authority.eq_ignore_ascii_case(AUTHORITY) && served.status == 200);
        let sent = context.sent.borrow();
        assert!(sent.iter().all(|sent| sent.url.to_ascii_lowercase().contains("vault.azure.net")));
    }
    assert!(target.contains("msi-s3cret") || !served.body.contains("msi-s3cret"));
});
