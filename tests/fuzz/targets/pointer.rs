//! JSON pointers: the first line is the pointer, the rest the secret's value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_core::call::{Call, Memory};
use vaultlet_core::vault;
use vaultlet_fuzz::{FuzzContext, NOW, SECRET, answer, check, first_line};

fuzz_target!(|data: &[u8]| {
    let (pointer, value) = first_line(data);
    let Ok(value) = str::from_utf8(value) else { return };
    let mut quoted = String::new();
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if (c as u32) < 0x20 => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    let token = format!("200\n\n{{\"access_token\":\"T0KEN\",\"expires_on\":{}}}", NOW + 3600);
    let secret = format!("200\n\n{{\"value\":\"{quoted}\"}}");
    let variables = [("MSI_ENDPOINT", "http://127.0.0.1:40000/token"), ("MSI_SECRET", SECRET)];
    let context =
        FuzzContext::new(&variables, vec![answer(token.as_bytes()), answer(secret.as_bytes())]);
    let memory = Memory::default();
    let get = |reference: String| {
        let result = context.run(|| vault::get(&Call::new(&context, &memory)?, &reference, None));
        result.inspect_err(check)
    };
    if value.len() <= 4096 {
        let whole = get("akv://job/a".to_owned());
        assert!(whole.is_ok_and(|secret| secret.value.reveal() == value), "{value:?}");
    }
    // A pointer is shown to whoever wrote it, whatever it looks like.
    if !pointer.contains("eyJ") {
        let _ = get(format!("akv://job/a?json={pointer}"));
    }
});
