//! Claims of a caller, which are merged into vaultlet's own and sent to the authority.
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
    let context = FuzzContext::new(&variables, vec![token]);
    context.token_for(Some(text.to_owned()));
    for sent in context.sent.borrow().iter() {
        // The client's capability is always sent, and the claims cannot break out of their form field.
        assert!(sent.body.contains("xms_cc") && sent.body.contains("cp1"), "{}", sent.body);
        assert_eq!(sent.body.matches('&').count(), 4, "{}", sent.body);
    }
});
