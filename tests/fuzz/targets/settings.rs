//! Settings in lines `NAME=value`: planning never panics, and each error is well-formed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_core::planner::plan_credentials;
use vaultlet_fuzz::{FuzzContext, check};

fuzz_target!(|text: &str| {
    let variables: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let _ = plan_credentials(&variables, &[]).inspect_err(check);
    if let Err(error) = plan_credentials(&variables, &variables) {
        check(&error);
    }
    // Without any response, a token request ends with every source.
    let mut context = FuzzContext::default();
    context.variables = variables;
    context.token();
});
