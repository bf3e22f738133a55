//! References and URLs: parsing the canonical form again gives the same form and the same server.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_core::limits;
use vaultlet_core::planner::{Subject, resolve};
use vaultlet_core::url::Url;
use vaultlet_fuzz::check;

fuzz_target!(|text: &str| {
    let settings = [("VAULTLET_ALLOW_HTTP_LOOPBACK".to_owned(), "true".to_owned())];
    for subject in [Subject::Secret, Subject::Vault] {
        match resolve(&subject(text.to_owned()), &settings) {
            // Escaping may make a long reference too long.
            Ok(resolved) if resolved.reference.len() > limits::REFERENCE => {}
            Ok(resolved) => match resolve(&subject(resolved.reference.clone()), &settings) {
                Ok(again) => assert_eq!(again, resolved),
                Err(error) => panic!("{}: {}", resolved.reference, error.line()),
            },
            Err(error) => check(&error),
        }
    }
    if let Ok(url) = Url::parse(text) {
        assert_eq!(Url::parse(&url.to_string()).as_ref(), Ok(&url));
    }
});
