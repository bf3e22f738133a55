//! The challenge in which Azure Arc names a key file: no file outside Arc's folder is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_fuzz::{FuzzContext, SECRET, answer};

const FOLDER: &str = "/var/opt/azcmagent/tokens/";

fuzz_target!(|data: &[u8]| {
    let endpoint = "http://127.0.0.1:40342/metadata/identity/oauth2/token";
    let variables = [("IDENTITY_ENDPOINT", endpoint), ("IMDS_ENDPOINT", "http://127.0.0.1:40342")];
    let mut challenge = answer(b"401\n\n");
    challenge.headers.push(("www-authenticate".to_owned(), data.to_vec()));
    let mut context = FuzzContext::new(&variables, vec![challenge, answer(b"200\n\n{}")]);
    context.files.push((format!("{FOLDER}a.key"), SECRET.as_bytes().to_vec()));
    context.token();
    for path in context.read.borrow().iter() {
        let name = path.strip_prefix(FOLDER).and_then(|name| name.strip_suffix(".key"));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        assert!(name.is_some_and(|name| name.bytes().all(plain)), "{path}");
    }
});
