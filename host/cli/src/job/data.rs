//! Inputs, outputs and code: paths on this machine. Those in the cloud are named and refused.

use std::path::{Path, PathBuf};

use super::reader::Reader;
use super::scalar::Scalar;
use super::shown::shown;
use super::yaml::{Data, Entry, Node, Place};

/// An input.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) name: String,
    /// The text that stands for it in the command.
    pub(super) text: String,
    /// Whether it is a file or a folder.
    pub(super) is_data: bool,
    pub(super) at: Place,
}

/// An output.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Whether the command writes one file.
    pub(super) is_file: bool,
}

const TYPES: [&str; 6] =
    ["uri_folder", "uri_file", "mltable", "mlflow_model", "custom_model", "triton_model"];
const INPUT_MODES: [&str; 3] = ["ro_mount", "download", "direct"];
const TABLE_MODES: [&str; 5] = ["ro_mount", "download", "direct", "eval_mount", "eval_download"];
const OUTPUT_MODES: [&str; 4] = ["rw_mount", "mount", "upload", "direct"];
/// Where outputs without a path go, in the current folder.
const OUTPUTS: &str = "outputs";

pub(super) fn inputs(reader: &mut Reader<'_>, node: &Node) -> Vec<Input> {
    let mut inputs = Vec::new();
    for entry in reader.map(node, "inputs") {
        let Entry { key: name, value, .. } = entry;
        let path = format!("inputs.{}", shown(name));
        if !is_name(reader, entry, &path) {
            inputs.push(failed(name, value.at));
            continue;
        }
        let members = match &value.data {
            Data::Map(members) => members,
            Data::Scalar(_) | Data::List(_) => {
                let text = reader.value(value, &path);
                inputs.push(literal(name, text, value.at));
                continue;
            }
        };
        if let Some(inner) = members.iter().find(|it| it.key == "value") {
            reader.members(value, &path, &["value"]);
            let text = reader.value(&inner.value, &format!("{path}.value"));
            inputs.push(literal(name, text, inner.value.at));
            continue;
        }
        let text = data(reader, value, &path).unwrap_or_default();
        inputs.push(Input { text, ..failed(name, value.at) });
    }
    inputs
}

fn literal(name: &str, text: Option<String>, at: Place) -> Input {
    let name = name.to_owned();
    text.map_or_else(
        || failed(&name, at),
        |text| Input { name: name.clone(), text, is_data: false, at },
    )
}

/// An input that has a finding, by which its job does not run. The command may name it.
fn failed(name: &str, at: Place) -> Input {
    Input { name: name.to_owned(), text: String::new(), is_data: true, at }
}

/// The path of an input that is a file or a folder.
fn data(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<String> {
    let known = ["type", "path", "mode", "path_on_compute", "datastore"];
    let members = reader.members(node, path, &known);
    let get = |key: &str| members.iter().find(|it| it.key == key).map(|it| &it.value);
    let kind = get("type")
        .map_or(Some("uri_folder"), |it| reader.word(it, &format!("{path}.type"), &TYPES));
    if let Some(mode) = get("mode") {
        let words = if kind == Some("mltable") { &TABLE_MODES[..] } else { &INPUT_MODES };
        reader.word(mode, &format!("{path}.mode"), words);
    }
    let Some(value) = get("path") else {
        reader.wrong(node.at, &format!("`{path}` has no `path`"), "write the path of the data");
        return None;
    };
    let text = reader.text(value, &format!("{path}.path"))?;
    let help = format!("download it, and give its path: `--set {path}.path=PATH`");
    let local = local(reader, text, value.at, &format!("{path}.path"), &help)?;
    // Absolute, as the command runs in another folder.
    let whole = std::path::absolute(&local).unwrap_or(local);
    let wanted = match kind? {
        "uri_file" if !whole.is_file() => "file",
        "uri_folder" | "mltable" if !whole.is_dir() => "folder",
        _ if !whole.exists() => "file or folder",
        _ => return whole.into_os_string().into_string().ok(),
    };
    let what = format!("`{path}.path` is `{}`, and there is no such {wanted}", shown(text));
    reader.wrong(value.at, &what, "correct the path, which is relative to the file's folder");
    None
}

pub(super) fn outputs(reader: &mut Reader<'_>, node: &Node) -> Vec<Output> {
    let mut outputs = Vec::new();
    for entry in reader.map(node, "outputs") {
        let Entry { key: name, value, .. } = entry;
        let path = format!("outputs.{}", shown(name));
        // One that is wrong is kept: the command may name it.
        is_name(reader, entry, &path);
        let members = match &value.data {
            Data::Scalar(Scalar::Null) => &[],
            _ => reader.members(value, &path, &["type", "path", "mode", "name", "version"]),
        };
        let get = |key: &str| members.iter().find(|it| it.key == key).map(|it| &it.value);
        let kind = get("type").and_then(|it| reader.word(it, &format!("{path}.type"), &TYPES));
        if let Some(mode) = get("mode") {
            reader.word(mode, &format!("{path}.mode"), &OUTPUT_MODES);
        }
        let given = get("path").and_then(|it| reader.text(it, &format!("{path}.path")));
        // One in the cloud is where the service would copy it to.
        let given = given.filter(|it| scheme(it).is_none() && !it.contains("${{"));
        let place = match given {
            Some(given) => reader.base().join(without_file_scheme(given)),
            None => Path::new(OUTPUTS).join(name),
        };
        let place = std::path::absolute(&place).unwrap_or(place);
        outputs.push(Output { name: name.clone(), path: place, is_file: kind == Some("uri_file") });
    }
    outputs
}

/// The folder of the code.
pub(super) fn code(reader: &mut Reader<'_>, node: &Node) -> Option<PathBuf> {
    let text = reader.text(node, "code")?;
    if text.starts_with("git+") {
        let what = format!("`code` is `{}`, which is not on this machine", shown(text));
        reader.not_here(node.at, &what, "clone it, and give its path: `--set code=PATH`");
        return None;
    }
    let help = "download it, and give its path: `--set code=PATH`";
    let path = local(reader, text, node.at, "code", help)?;
    if path.is_file() {
        // The service copies this file alone.
        return path.parent().map(Path::to_owned);
    }
    if !path.is_dir() {
        let what = format!("`code` is `{}`, and there is no such folder", shown(text));
        reader.wrong(node.at, &what, "correct the path, which is relative to the file's folder");
        return None;
    }
    Some(path)
}

/// A path on this machine; one that is not is refused.
fn local(
    reader: &mut Reader<'_>,
    text: &str,
    at: Place,
    path: &str,
    help: &str,
) -> Option<PathBuf> {
    if text.contains("${{") {
        let what = format!("`{path}` is an expression, which the service evaluates in a pipeline");
        reader.unsupported(at, &what, help);
        return None;
    }
    if let Some(scheme) = scheme(text) {
        let what = format!("`{path}` is `{}`, which is in the cloud ({scheme})", shown(text));
        reader.not_here(at, &what, help);
        return None;
    }
    Some(reader.base().join(without_file_scheme(text)))
}

fn without_file_scheme(text: &str) -> &str {
    let rest = text.strip_prefix("file://").or_else(|| text.strip_prefix("file:"));
    rest.unwrap_or(text)
}

/// What a path in the cloud begins with: a scheme of two letters or more, other than `file`.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|it| it.is_ascii_alphanumeric() || b"+-.".contains(&it));
    let is_known = text.contains("://") || scheme.eq_ignore_ascii_case("azureml");
    (is_scheme && is_known && !scheme.eq_ignore_ascii_case("file")).then_some(scheme)
}

/// Whether the service takes it as the name of an input or output.
fn is_name(reader: &mut Reader<'_>, entry: &Entry, path: &str) -> bool {
    let Entry { key: name, at, .. } = entry;
    if !reader.is_text_key(entry) {
        return false;
    }
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    if !is_name {
        let help = "name it with letters, digits and `_`";
        reader.wrong(*at, &format!("`{path}` is no name that the service takes"), help);
    }
    is_name
}
