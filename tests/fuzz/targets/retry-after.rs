//! The wait before a retry: `retry-after` in seconds or as a date, and similar headers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_fuzz::{FuzzContext, SECRET, answer, first_line};

fuzz_target!(|data: &[u8]| {
    let (name, value) = first_line(data);
    let name = match name {
        "retry-after-ms" | "x-ms-retry-after-ms" => name,
        _ => "retry-after",
    };
    let mut busy = answer(b"429\n\n");
    busy.headers.push((name.to_owned(), value.to_vec()));
    let token = answer(b"200\n\n{\"access_token\":\"T0KEN\",\"expires_in\":3600}");
    let variables = [("MSI_ENDPOINT", "http://127.0.0.1:40000/token"), ("MSI_SECRET", SECRET)];
    FuzzContext::new(&variables, vec![busy, token]).token();
    // The expiry of a token goes through the same parser.
    let Ok(text) = str::from_utf8(value) else { return };
    if !text.contains(['"', '\\']) {
        let body = format!("200\n\n{{\"access_token\":\"T0KEN\",\"expires_on\":\"{text}\"}}");
        FuzzContext::new(&variables, vec![answer(body.as_bytes())]).token();
    }
});
