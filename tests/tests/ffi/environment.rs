//! `vaultlet_resolve_environment`, by the table that the libraries of all languages are tested by.

use vaultlet_tests::environment::Table;
use vaultlet_tests::job::VALUE;
use vaultlet_tests::{Run, target};

use super::programs::compiled;

/// The program has the variables in its own environment, which it compares with what it was before.
#[test]
fn a_program_in_c_resolves_its_own_environment() {
    let program =
        compiled("environment", "tests/ffi/environment.c", &["-fsanitize=address,undefined"]);
    let table = Table::read();
    let local = table.local().start().unwrap();
    for case in &table.cases {
        let ended = Run::program(&program)
            .arguments(case.only.as_ref().map(|_| "--only"))
            .arguments(case.only.iter().flatten())
            .environment([("LD_LIBRARY_PATH", target().join("ffi"))])
            .environment(local.environment().iter().cloned())
            .environment(&case.variables)
            .end();
        ended.reveals_none_of(&[VALUE], false);
        // Once for each form of the call.
        let as_expected = ended.stdout == case.printed().repeat(2) && ended.code == 0;
        assert!(as_expected, "{}: {} {}", case.name, ended.code, ended.stderr);
    }
}
