//! Pages of a vault's list: the token is sent only to the vault's list, and the paging ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_core::call::{Call, Memory};
use vaultlet_core::vault::{self, Listed};
use vaultlet_fuzz::{FuzzContext, SECRET, answer, check};

const TOKEN: &[u8] = b"200\n\n{\"access_token\":\"eyJ0.T0KEN.c2ln\",\"expires_in\":3600}";
const VAULT: &str = "https://job.vault.azure.net";

fuzz_target!(|data: &[u8]| {
    for (path, name) in [("/secrets", None), ("/secrets/a/versions", Some("a"))] {
        let mut answers = vec![answer(TOKEN)];
        let mut rest = data;
        while let Some(at) = rest.windows(6).position(|six| six == b"\n====\n") {
            answers.push(answer(&rest[..at]));
            rest = &rest[at + 6..];
        }
        answers.push(answer(rest));
        let variables = [("MSI_ENDPOINT", "http://127.0.0.1:40000/token"), ("MSI_SECRET", SECRET)];
        let context = FuzzContext::new(&variables, answers);
        let memory = Memory::default();
        let result = context.run(|| {
            let call = Call::new(&context, &memory)?;
            let listed = match name {
                None => Listed::secrets(VAULT, call.settings())?,
                Some(name) => Listed::versions(&format!("akv://job/{name}"), call.settings())?,
            };
            vault::all(&call, &listed, None)
        });
        match result {
            Ok(items) => {
                for item in items {
                    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
                    assert!(!item.name.is_empty() && item.name.bytes().all(plain));
                    assert_eq!(item.version.is_some(), name.is_some());
                    assert!(name.is_none_or(|name| item.name.eq_ignore_ascii_case(name)));
                }
            }
            Err(error) => check(&error),
        }
        for sent in context.sent.borrow().iter() {
            if sent.url.starts_with("http://127.0.0.1:40000/") {
                continue;
            }
            let query = sent.url.strip_prefix(VAULT).and_then(|rest| rest.strip_prefix(path));
            assert!(query.is_some_and(|query| query.starts_with('?')), "{}", sent.url);
            assert!(!sent.headers.iter().any(|(_, value)| value.contains(SECRET)));
        }
    }
});
