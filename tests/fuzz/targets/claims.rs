//! A caller's claims, which are sent to the authority among ours.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_fuzz::{FuzzContext, SECRET, answer};

fuzz_target!(|text: &str| {
    let token = answer(b"200\n\n{\"access_token\":\"T0KEN\",\"expires_in\":3600}");
    let variables = [
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_TENANT_ID", "tenant"),
        ("AZURE_CLIENT_SECRET", SECRET),
    ];
    let world = FuzzContext::new(&variables, vec![token]);
    world.token_for(Some(text.to_owned()));
    for sent in world.sent.borrow().iter() {
        // What we can do is said, whatever the caller says; nothing breaks out of its field.
        assert!(sent.body.contains("xms_cc") && sent.body.contains("cp1"), "{}", sent.body);
        assert_eq!(sent.body.matches('&').count(), 4, "{}", sent.body);
    }
});
