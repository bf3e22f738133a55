//! The payload of a token, from which its holder is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_core::token::Token;
use vaultlet_fuzz::NOW;

fuzz_target!(|data: &[u8]| {
    let mut jwt = String::from("eyJh.");
    // The input encoded in base64url, as in a token; below, the input itself is a token, too.
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for three in data.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for at in 0..=three.len() {
            jwt.push(digits[(bits >> (18 - 6 * at) & 63) as usize].into());
        }
    }
    jwt.push_str(".c2ln");
    for secret in [jwt, String::from_utf8_lossy(data).into_owned()] {
        let token = Token {
            secret: secret.into(),
            expires_on: NOW + 3600,
            refresh_on: NOW,
            resource: String::new(),
            source: String::new(),
            endpoint: None,
            client_id: None,
            other: None,
        };
        let holder = token.holder();
        let texts = [holder.tenant, holder.object_id, holder.app_id, holder.upn, holder.audience];
        for text in texts.into_iter().flatten().chain(holder.notes) {
            assert!(!text.chars().any(char::is_control) && text.len() < 2048, "{text:?}");
        }
    }
});
