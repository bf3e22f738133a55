//! A command job, as its file defines it. What `az` refuses is refused here, with its line.
//! <https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-command>

use std::path::PathBuf;

use super::command;
use super::data::{self, Input, Output};
use super::distribution::{self, Distribution};
use super::reader::Reader;
use super::scalar::Scalar;
use super::shown::shown;
use super::yaml::{Data, Entry, Node, Place};

/// A command job.
#[derive(Debug, Default)]
pub(super) struct Definition {
    /// Whether it is a command job at all.
    pub(super) is_command: bool,
    /// The command, as the service passes it to a shell.
    pub(super) command: String,
    /// Where the command stands in the file.
    pub(super) command_at: Option<Place>,
    /// The folder of the code, in which the command runs.
    pub(super) folder: Option<PathBuf>,
    pub(super) identity: Identity,
    pub(super) variables: Vec<Variable>,
    pub(super) inputs: Vec<Input>,
    pub(super) outputs: Vec<Output>,
    pub(super) distribution: Distribution,
    /// The members that mean nothing on this machine.
    pub(super) ignored: Vec<String>,
}

/// The identity that a job asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Identity {
    /// Whichever the compute has.
    #[default]
    Unspecified,
    Managed(UserAssigned),
    User,
}

/// The names of a user-assigned managed identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UserAssigned {
    pub(super) client_id: Option<String>,
    pub(super) object_id: Option<String>,
}

/// A variable of the command.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// `None` unsets it.
    pub(super) value: Option<String>,
    pub(super) at: Place,
}

/// All members of a command job.
const KEYS: [&str; 27] = [
    "$schema",
    "type",
    "name",
    "display_name",
    "experiment_name",
    "description",
    "tags",
    "properties",
    "command",
    "code",
    "environment",
    "environment_variables",
    "inputs",
    "outputs",
    "identity",
    "distribution",
    "resources",
    "compute",
    "limits",
    "services",
    "queue_settings",
    "parent_job_name",
    "id",
    "status",
    "creation_context",
    "log_files",
    "parameters",
];
/// Members that the service writes, and nobody has to know.
const SILENT: [&str; 7] =
    ["$schema", "type", "id", "status", "creation_context", "log_files", "parameters"];
/// Members that are read here.
const READ: [&str; 8] = [
    "command",
    "code",
    "environment_variables",
    "inputs",
    "outputs",
    "identity",
    "distribution",
    "resources",
];
/// Members of a service of a job.
const OF_SERVICE: [&str; 9] = [
    "type",
    "port",
    "nodes",
    "properties",
    "log_dir",
    "ssh_public_keys",
    "endpoint",
    "status",
    "error_message",
];
/// Types of jobs that `az` knows besides.
const OTHER_TYPES: [&str; 8] =
    ["sweep", "pipeline", "parallel", "spark", "automl", "import", "finetuning", "distillation"];

/// Reads a job. Where something is wrong the reader has findings, and the job must not run.
pub(super) fn read(reader: &mut Reader<'_>, root: &Node) -> Definition {
    let mut job = Definition::default();
    let Data::Map(entries) = &root.data else {
        reader.wrong(root.at, "it is not a mapping", "write `command: …` and the other members");
        return job;
    };
    if !is_command(reader, entries) {
        return job;
    }
    job.is_command = true;
    let entries = reader.members(root, "", &KEYS);
    let get = |key: &str| entries.iter().find(|it| it.key == key).map(|it| &it.value);
    check_ignored(reader, entries);
    if let Some(code) = get("code") {
        job.folder = data::code(reader, code);
    }
    if let Some(identity) = get("identity") {
        job.identity = identity_of(reader, identity);
    }
    if let Some(variables) = get("environment_variables") {
        job.variables = variables_of(reader, variables);
    }
    if let Some(inputs) = get("inputs") {
        job.inputs = data::inputs(reader, inputs);
    }
    if let Some(outputs) = get("outputs") {
        job.outputs = data::outputs(reader, outputs);
    }
    if let Some(resources) = get("resources") {
        distribution::resources(reader, resources);
    }
    if let Some(distribution) = get("distribution") {
        job.distribution = distribution::read(reader, distribution);
    }
    match get("command") {
        Some(node) => {
            job.command_at = Some(node.at);
            if let Some(text) = reader.text(node, "command") {
                let is_map = |key| get(key).is_none_or(|it| matches!(it.data, Data::Map(_)));
                let inputs = is_map("inputs").then_some(&job.inputs[..]);
                let outputs = is_map("outputs").then_some(&job.outputs[..]);
                job.command = command::expand(reader, node, text, inputs, outputs);
            }
        }
        None => reader.wrong(root.at, "it has no `command`", "write `command: …`"),
    }
    let is_ignored = |key: &&str| !READ.contains(key) && !SILENT.contains(key);
    job.ignored = KEYS
        .iter()
        .copied()
        .filter(is_ignored)
        .filter(|it| get(it).is_some())
        .map(str::to_owned)
        .collect();
    job
}

/// Whether the job is a command job, which it is without a type.
fn is_command(reader: &mut Reader<'_>, entries: &[Entry]) -> bool {
    let Some(kind) = entries.iter().find(|it| it.key == "type") else { return true };
    let at = kind.value.at;
    let Some(kind) = reader.text(&kind.value, "type") else { return false };
    if OTHER_TYPES.contains(&kind) {
        let what = format!("this is a {kind} job");
        reader.unsupported(at, &what, "submit it to the service; only command jobs run here");
    } else if kind != "command" {
        let what = format!("`type` is `{}`", shown(kind));
        reader.wrong(at, &what, "write `type: command`");
    }
    kind == "command"
}

/// Checks members that are not used here, as far as `az` does.
fn check_ignored(reader: &mut Reader<'_>, entries: &[Entry]) {
    for Entry { key, value, .. } in entries {
        match key.as_str() {
            "name" | "display_name" | "experiment_name" | "description" | "compute" => {
                reader.text(value, key);
            }
            "tags" | "properties" => {
                for inner in reader.map(value, key) {
                    if reader.is_text_key(inner)
                        && !matches!(inner.value.data, Data::Scalar(Scalar::Null))
                    {
                        reader.text(&inner.value, &format!("{key}.{}", shown(&inner.key)));
                    }
                }
            }
            "queue_settings" => {
                for inner in reader.members(value, key, &["job_tier", "priority"]) {
                    let words: &[&str] = match inner.key.as_str() {
                        "job_tier" => &["spot", "basic", "standard", "premium", "null"],
                        "priority" => &["low", "medium", "high"],
                        _ => continue,
                    };
                    reader.word(&inner.value, &format!("{key}.{}", inner.key), words);
                }
            }
            "services" => {
                for inner in reader.map(value, key) {
                    reader.is_text_key(inner);
                    let path = format!("{key}.{}", shown(&inner.key));
                    let members = reader.members(&inner.value, &path, &OF_SERVICE);
                    if let Some(port) = members.iter().find(|it| it.key == "port") {
                        reader.count(&port.value, &format!("{path}.port"), 0, u32::MAX);
                    }
                }
            }
            "limits" => {
                for inner in reader.members(value, key, &["timeout"]) {
                    reader.count(&inner.value, "limits.timeout", 0, u32::MAX);
                }
            }
            _ => {}
        }
    }
}

/// What `az` wants of the environment, which is not used here.
pub(super) fn check_environment(reader: &mut Reader<'_>, root: &Node) {
    let Data::Map(entries) = &root.data else { return };
    let Some(environment) = entries.iter().find(|it| it.key == "environment") else {
        let help = "write `environment: azureml:NAME@latest`, which the service needs";
        return reader.missing("it has no `environment`", help);
    };
    match &environment.value.data {
        Data::Scalar(Scalar::Text(text)) => {
            let starts = ["azureml:", "/subscriptions/", "file:"];
            if !starts.iter().any(|start| text.starts_with(start)) {
                let what = format!("`environment` is `{}`", shown(text));
                let help = "write `azureml:NAME@latest`, or the members of an environment";
                reader.wrong(environment.value.at, &what, help);
            }
        }
        Data::Map(members)
            if members.iter().any(|it| ["image", "build"].contains(&it.key.as_str())) => {}
        _ => {
            let help = "write `azureml:NAME@latest`, or `image: …`";
            reader.wrong(
                environment.value.at,
                "`environment` has neither a name nor an image",
                help,
            );
        }
    }
}

fn identity_of(reader: &mut Reader<'_>, node: &Node) -> Identity {
    const IDS: [&str; 2] = ["client_id", "object_id"];
    // `az` has `msi_resource_id` in its schema, and fails on it.
    let all = ["type", "client_id", "object_id"];
    let entries = reader.members(node, "identity", &all);
    let Some(kind) = entries.iter().find(|it| it.key == "type") else {
        if matches!(node.data, Data::Map(_)) {
            let help = "write user_identity, managed or aml_token";
            reader.wrong(node.at, "`identity` has no `type`", help);
        }
        return Identity::Unspecified;
    };
    let words = ["user_identity", "managed", "managed_identity", "aml_token"];
    let kind = reader.word(&kind.value, "identity.type", &words);
    let mut ids = [None, None];
    let mut first = None;
    for (id, key) in ids.iter_mut().zip(IDS) {
        let Some(entry) = entries.iter().find(|it| it.key == key) else { continue };
        let text = reader.text(&entry.value, &format!("identity.{key}"));
        *id = text.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        if matches!(kind, Some("user_identity" | "aml_token")) {
            let what =
                format!("`identity.{key}` names a managed identity, and the type is another");
            reader.wrong(entry.at, &what, "leave it out, or write `type: managed`");
        } else if id.as_deref().is_some_and(|it| !is_guid(it)) {
            let what = format!("`identity.{key}` is not a GUID");
            let help = "write one, as in 11111111-2222-3333-4444-555555555555";
            reader.wrong(entry.value.at, &what, help);
            *id = None;
        } else if id.is_some() {
            if let Some(first) = first {
                let what = format!("`identity.{first}` and `identity.{key}` are both there");
                reader.wrong(entry.at, &what, "name the managed identity by one of them");
                *id = None;
            }
            first = Some(key);
        }
    }
    let [client_id, object_id] = ids;
    match kind {
        Some("user_identity") => Identity::User,
        Some("managed" | "managed_identity") => {
            Identity::Managed(UserAssigned { client_id, object_id })
        }
        _ => Identity::Unspecified,
    }
}

fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|it| it == b'-' || it.is_ascii_hexdigit())
}

fn variables_of(reader: &mut Reader<'_>, node: &Node) -> Vec<Variable> {
    let mut variables = Vec::new();
    for Entry { key: name, at, value, .. } in reader.map(node, "environment_variables") {
        let path = format!("environment_variables.{}", shown(name));
        if name.is_empty() || name.contains(['=', '\0']) {
            reader.wrong(*at, &format!("`{path}` is no name of a variable"), "write another name");
            continue;
        }
        let text = match &value.data {
            Data::Scalar(Scalar::Null) => None,
            Data::Scalar(Scalar::Date(text)) => Some(text.clone()),
            _ => match reader.value(value, &path) {
                Some(text) if text.contains('\0') => {
                    let what = format!("`{path}` has a null character (U+0000)");
                    reader.wrong(value.at, &what, "leave it out");
                    continue;
                }
                Some(text) => Some(text),
                None => continue,
            },
        };
        variables.push(Variable { name: name.clone(), value: text, at: value.at });
    }
    variables
}
