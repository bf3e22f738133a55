//! GitHub Actions: variables of the steps that follow, in the file that `GITHUB_ENV` names, and lines on stdout that
//! mask secrets in the log.
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

use vaultlet_host::Kind;
use zeroize::Zeroizing;

use super::{Bytes, Variable};
use crate::failure::Failure;
use crate::output;
use crate::system::{is_stdout, random};

/// Bytes of the shortest line that is masked by itself: a shorter one would be found everywhere.
const SHORTEST_LINE: usize = 4;

/// Prints masks, then appends variables to the file, if there is one; else they are printed, too.
pub(super) fn write(variables: &[Variable]) -> Result<(), Failure> {
    let (masks, assignments) = (masks(variables), assignments(variables)?);
    let path = std::env::var_os("GITHUB_ENV").filter(|path| !path.is_empty()).map(PathBuf::from);
    let Some(path) = path else {
        output::bytes(&masks)?;
        return output::bytes(&assignments);
    };
    let failed = |error: io::Error| {
        let message = format!("writing `{}`: {}", path.display(), error.to_string().to_lowercase());
        let help = "`GITHUB_ENV` is the file that GitHub Actions reads: correct it, or unset it";
        Failure::own(Kind::Unavailable, "output-failed", message, help)
    };
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
    if is_stdout(&file) {
        // `>> "$GITHUB_ENV"`: the file is no place for masks, and the log has stderr, too.
        io::stderr().write_all(&masks).map_err(failed)?;
    } else {
        output::bytes(&masks)?;
    }
    file.write_all(&assignments).map_err(failed)
}

/// `::add-mask::` for each line of each secret: the log is searched line by line.
fn masks(variables: &[Variable]) -> Bytes {
    let secrets = || variables.iter().filter(|it| it.is_secret);
    let room = secrets().map(|it| 14 + 14 * it.value.len()).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    for Variable { value, .. } in secrets() {
        let lines = || value.split(|byte| matches!(byte, b'\n' | b'\r'));
        let is_one = lines().count() == 1;
        let is_masked =
            |line: &&[u8]| !line.trim_ascii().is_empty() && (is_one || line.len() >= SHORTEST_LINE);
        for line in lines().filter(is_masked) {
            text.extend_from_slice(b"::add-mask::");
            for byte in line {
                match byte {
                    // It begins an escape.
                    b'%' => text.extend_from_slice(b"%25"),
                    byte => text.push(*byte),
                }
            }
            text.push(b'\n');
        }
    }
    text
}

/// `NAME<<END`, the value, `END`: with an end that nobody can guess, a value cannot set further variables.
fn assignments(variables: &[Variable]) -> Result<Bytes, Failure> {
    let end = random().map_err(|error| {
        let message = format!("reading random bytes: {}", error.to_string().to_lowercase());
        Failure::own(Kind::Unavailable, "output-failed", message, "make `/dev/urandom` readable")
    })?;
    let end = format!("vaultlet_{end:032x}");
    let room = variables.iter().map(|it| 100 + it.name.len() + it.value.len()).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    for Variable { name, value, .. } in variables {
        for part in
            [name.as_bytes(), b"<<", end.as_bytes(), b"\n", value, b"\n", end.as_bytes(), b"\n"]
        {
            text.extend_from_slice(part);
        }
    }
    Ok(text)
}
