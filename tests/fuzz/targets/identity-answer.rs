//! Responses of local identity endpoints. The first line of the input names the source.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_fuzz::{FuzzContext, SECRET, answer, first_line};

fuzz_target!(|data: &[u8]| {
    let (source, rest) = first_line(data);
    let near = "http://127.0.0.1:40000/token";
    let variables: &[(&str, &str)] = match source {
        "app-service" => &[("IDENTITY_ENDPOINT", near), ("IDENTITY_HEADER", SECRET)],
        "cloud-shell" => &[("MSI_ENDPOINT", near)],
        "job" => &[("OBO_ENDPOINT", near)],
        "imds" => &[("AZURE_TOKEN_CREDENTIALS", "prod")],
        _ => &[("MSI_ENDPOINT", near), ("MSI_SECRET", SECRET)],
    };
    FuzzContext::new(variables, vec![answer(rest)]).token();
});
