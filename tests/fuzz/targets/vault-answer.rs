//! Responses of a vault with an unknown suffix: challenges, secrets, errors. No token is requested for a
//! foreign resource, and none is sent to another server.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_core::call::{Call, Memory};
use vaultlet_core::vault;
use vaultlet_fuzz::{FuzzContext, SECRET, answer, check};

const TOKEN: &[u8] = b"200\n\n{\"access_token\":\"eyJ0.T0KEN.c2ln\",\"expires_in\":3600}";

fuzz_target!(|data: &[u8]| {
    // The input has the response to a request without a token, then the one to a request with a token.
    let at = data.windows(6).position(|six| six == b"\n====\n").unwrap_or(data.len());
    let (first, then) = (&data[..at], data.get(at + 6..).unwrap_or(data));
    let variables = [("MSI_ENDPOINT", "http://127.0.0.1:40000/token"), ("MSI_SECRET", SECRET)];
    let context = FuzzContext::new(&variables, vec![answer(first), answer(TOKEN), answer(then)]);
    let memory = Memory::default();
    // Twice: a refused challenge must not be remembered.
    for _ in 0..2 {
        let reference = "akv://job.vault.corp.example/db-password";
        let result = context.run(|| vault::get(&Call::new(&context, &memory)?, reference, None));
        if let Err(error) = result {
            check(&error);
        }
    }
    for sent in context.sent.borrow().iter() {
        if let Some((_, resource)) = sent.url.split_once("resource=") {
            assert!(sent.url.starts_with("http://127.0.0.1:40000/"), "{}", sent.url);
            let resource = resource.split('&').next().unwrap_or_default().to_ascii_lowercase();
            let host = resource.strip_prefix("https%3a%2f%2f").unwrap_or(&resource);
            let own = ["vault.corp.example", "corp.example", "example"];
            let ends = |rest: &str| rest.is_empty() || rest.starts_with('%');
            let is_own = own.iter().any(|own| host.strip_prefix(own).is_some_and(ends));
            assert!(is_own, "a token for {resource}");
        } else {
            assert!(sent.url.starts_with("https://job.vault.corp.example/"), "{}", sent.url);
            assert!(!sent.headers.iter().any(|(_, value)| value.contains(SECRET)));
        }
    }
});
