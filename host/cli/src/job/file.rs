//! Reads a job file, with what `--set` changes in it.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::definition::{self, Definition};
use super::finding::Finding;
use super::reader::Reader;
use super::scalar::Scalar;
use super::shown::shown;
use super::yaml::{self, Data, Document, Entry, Node, Place};
use crate::failure::Failure;
use crate::{given_file, streams};

/// The most bytes that a job file may have.
const FILE_MAX: u64 = 1 << 20;

/// A job file that was read.
pub(super) struct JobFile {
    pub(super) path: PathBuf,
    pub(super) definition: Definition,
    /// What is wrong with it, in the order of the lines.
    pub(super) findings: Vec<Finding>,
    /// The text, if it was read from stdin, which has no more of it.
    pub(super) stdin: Option<String>,
    /// What is not wrong, and worth a line.
    pub(super) notes: Vec<String>,
}

/// Changes of a job, each as PATH and VALUE.
pub(super) type Changes = [(String, String)];

/// Reads a job file. With `is_check`, what only the service needs is missed, too.
pub(super) fn read(path: &Path, changes: &Changes, is_check: bool) -> Result<JobFile, Failure> {
    let mut job = JobFile {
        path: path.to_owned(),
        definition: Definition::default(),
        findings: Vec::new(),
        stdin: None,
        notes: Vec::new(),
    };
    let text = match load(path) {
        Ok(text) => text,
        Err(error) => {
            let why = error.to_string();
            let why = if error.raw_os_error().is_some() { why.to_lowercase() } else { why };
            let finding = Finding::wrong(path, None, &why, "name the YAML file of a command job");
            job.findings.push(finding);
            return Ok(job);
        }
    };
    let Document { mut root, repeated } = match yaml::parse(&text) {
        Ok(document) => document,
        Err(malformed) => {
            let what = format!("the YAML is malformed: {}", malformed.why);
            job.findings.push(Finding::wrong(path, malformed.at, &what, malformed.help));
            return Ok(job);
        }
    };
    for (key, first, last) in repeated {
        if let (Place::Line { line: first, .. }, Place::Line { line: last, .. }) = (first, last) {
            let key = shown(&key);
            job.notes
                .push(format!("`{key}` stands in lines {first} and {last}; the last one counts"));
        }
    }
    job.stdin = is_stdin(path).then_some(text);
    for (target, value) in changes {
        change(&mut root, target, value)?;
    }
    let mut reader = Reader::new(path);
    job.definition = definition::read(&mut reader, &root);
    if is_check && job.definition.is_command {
        definition::check_environment(&mut reader, &root);
    }
    job.findings = reader.findings;
    job.findings.sort_by_key(Finding::order);
    Ok(job)
}

/// Whether a file is stdin.
pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn load(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = if is_stdin(path) {
        streams::check_stdin()?;
        io::stdin().lock().take(FILE_MAX + 1).read_to_string(&mut text)
    } else {
        given_file::open(path)?.take(FILE_MAX + 1).read_to_string(&mut text)
    };
    match read {
        Ok(_) if text.len() as u64 > FILE_MAX => Err(io::Error::other("it is larger than 1 MiB")),
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(io::Error::other("it is not UTF-8 text"))
        }
        Err(error) => Err(error),
    }
}

/// Sets the value at a path of names, and makes the mappings on its way, as `az … --set` does. The value is a text.
fn change(root: &mut Node, path: &str, value: &str) -> Result<(), Failure> {
    let refused = |what: &str| Err(Failure::usage(&format!("`--set {}=…`: {what}", shown(path))));
    if path.is_empty() || path.split('.').any(str::is_empty) {
        return refused("a path is names with `.` between them, as in inputs.epochs");
    }
    let mut node = root;
    for name in path.split('.') {
        if matches!(node.data, Data::Scalar(Scalar::Null)) {
            node.data = Data::Map(Vec::new());
        }
        let Data::Map(entries) = &mut node.data else {
            return refused("what the path leads through is a value, and not a mapping");
        };
        let found = entries.iter().position(|it| it.key == name);
        let at = found.unwrap_or_else(|| {
            let value = Node { data: Data::Scalar(Scalar::Null), ..Node::set("") };
            entries.push(Entry { key: name.to_owned(), is_text: true, at: Place::Set, value });
            entries.len() - 1
        });
        let Some(entry) = entries.get_mut(at) else { return Ok(()) };
        node = &mut entry.value;
    }
    *node = Node::set(value);
    Ok(())
}
