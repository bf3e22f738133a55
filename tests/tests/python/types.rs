//! The package's types: two type checkers accept a program that uses the whole package, mypy accepts the
//! package itself, and the stub of the native module agrees with the module.

use std::ffi::OsString;
use std::path::Path;

use vaultlet_tests::{Run, root, target};

use super::install;

#[test]
fn mypy_accepts_a_program_in_strict_mode() {
    let program = root().join("tests/tests/python/typed.py");
    let job = root().join("host/python/examples/job.py");
    mypy_accepts("mypy", &[program.into(), job.into()]);
}

/// Checks the package's own code, for the oldest Python that mypy knows.
#[test]
fn mypy_accepts_the_package_in_strict_mode() {
    let package = root().join("host/python/python/vaultlet");
    mypy_accepts("mypy-package", &["--python-version=3.10".into(), package.into()]);
}

fn mypy_accepts(cache: &str, arguments: &[OsString]) {
    let Some(python) = install::python() else { return };
    let cache = target().join("peers/python-package").join(cache);
    let module = ["-m", "mypy", "--strict", "--cache-dir"].map(OsString::from);
    finds_nothing(&python, &[&module[..], &[cache.into()], arguments].concat());
}

#[test]
fn pyright_accepts_a_program_in_strict_mode() {
    let Some(python) = install::python() else { return };
    let program = root().join("tests/tests/python/typed.py");
    let module = ["-m", "pyright", "--warnings", "--pythonpath"].map(OsString::from);
    finds_nothing(&python, &[&module[..], &[python.clone().into(), program.into()]].concat());
}

/// Every function, class and parameter exists at run time as it is declared.
#[test]
fn declarations_agree_with_the_package_as_it_runs() {
    let Some(python) = install::python() else { return };
    let allowed = root().join("tests/tests/python/stubtest.txt");
    let module = ["-m", "mypy.stubtest", "vaultlet", "--allowlist"].map(OsString::from);
    finds_nothing(&python, &[&module[..], &[allowed.into()]].concat());
}

fn finds_nothing(python: &Path, arguments: &[OsString]) {
    let folder = target().join("peers/python-package");
    let ended = Run::program(python)
        .arguments(arguments)
        .environment([("PYRIGHT_PYTHON_CACHE_DIR", folder.join("pyright"))])
        .environment([("MYPYPATH", "")])
        .end();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
}
