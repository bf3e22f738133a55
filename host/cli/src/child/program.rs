//! Where the program of a command is.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where the system looks when there is no `PATH`.
const USUAL: &str = "/bin:/usr/bin";

/// The file of the program that this word of a command starts, with all links resolved; the word as it is, where there
/// is no such file. `path` is the command's `PATH`.
pub(crate) fn program(word: &OsStr, path: Option<&OsStr>) -> PathBuf {
    let found = if is_path(word) {
        Some(PathBuf::from(word))
    } else {
        places(word, path).find(|path| is_program(path))
    };
    found.and_then(|path| path.canonicalize().ok()).unwrap_or_else(|| word.into())
}

/// Whether there is no file that this word of a command could start. One that is there may still not be a program.
pub(super) fn is_missing(word: &OsStr, path: Option<&OsStr>) -> bool {
    let error = |path: &Path| path.metadata().err().map(|error| error.kind());
    match is_path(word) {
        true => error(word.as_ref()) == Some(ErrorKind::NotFound),
        // The system goes on to the next place.
        false => places(word, path).all(|path| {
            matches!(error(&path), Some(ErrorKind::NotFound | ErrorKind::NotADirectory))
        }),
    }
}

fn is_path(word: &OsStr) -> bool {
    word.as_bytes().contains(&b'/')
}

/// The files that the system tries for a word without a folder.
fn places(word: &OsStr, path: Option<&OsStr>) -> impl Iterator<Item = PathBuf> {
    let folders = std::env::split_paths(path.unwrap_or(OsStr::new(USUAL)));
    folders.map(move |folder| folder.join(word))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_program_is_found_as_the_system_finds_it_and_its_links_are_resolved() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let at = |name: &str| folder.join(name);
        for name in ["a", "b"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at("a/tool"), "no program").unwrap();
        fs::write(at("b/real"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(at("b/real"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("real", at("b/tool")).unwrap();
        symlink("nowhere", at("b/dead")).unwrap();
        let path = std::env::join_paths([at("a"), at("b")]).unwrap();
        for (word, expected) in [
            ("tool", at("b/real")),
            ("dead", "dead".into()),
            ("nothing", "nothing".into()),
            ("./nothing", "./nothing".into()),
            (at("b/tool").to_str().unwrap(), at("b/real")),
            (at("a/../b/tool").to_str().unwrap(), at("b/real")),
        ] {
            assert_eq!(program(word.as_ref(), Some(&path)), expected, "{word}");
            let is_missing = ["dead", "nothing", "./nothing"].contains(&word);
            assert_eq!(super::is_missing(word.as_ref(), Some(&path)), is_missing, "{word}");
        }
        assert_eq!(program("sh".as_ref(), None), fs::canonicalize("/bin/sh").unwrap());
    }
}
