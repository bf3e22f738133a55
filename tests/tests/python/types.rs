//! The types that the package states: two checkers agree on a program that uses all of it, and they
//! are those of the package as it runs.

use std::ffi::OsString;
use std::path::Path;

use vaultlet_tests::{Run, root, target};

use super::install;

#[test]
fn mypy_strictly() {
    let Some(python) = install::python() else { return };
    let cache = target().join("peers/python-package/mypy");
    let module = ["-m", "mypy", "--strict", "--cache-dir"].map(OsString::from);
    let program = root().join("tests/tests/python/typed.py");
    let job = root().join("host/python/examples/job.py");
    finds_nothing(&python, &[&module[..], &[cache.into(), program.into(), job.into()]].concat());
}

#[test]
fn pyright_strictly() {
    let Some(python) = install::python() else { return };
    let program = root().join("tests/tests/python/typed.py");
    let module = ["-m", "pyright", "--warnings", "--pythonpath"].map(OsString::from);
    finds_nothing(&python, &[&module[..], &[python.clone().into(), program.into()]].concat());
}

/// Every function, class and argument is there as it is said to be.
#[test]
fn as_it_runs() {
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
