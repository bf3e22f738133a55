//! Variables, in lines `NAME=value`: the plan that they make never panics, and names what is wrong.
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
    // With nobody to answer, each way to a token ends.
    let mut world = FuzzContext::default();
    world.variables = variables;
    world.token();
});
