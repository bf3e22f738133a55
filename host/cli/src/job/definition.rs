//! A command job, as its file defines it. What `az` refuses is refused here, with its line.
//! <https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-command>

use std::path::PathBuf;

use super::command;
use super::data::{self, Input, Output};
use super::distribution::{self, Distribution};
use super::reader::Reader;
use super::scalar::Scalar;
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
    pub(super) resource_id: Option<String>,
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
                job.command = command::expand(reader, node, text, &job.inputs, &job.outputs);
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
        let what = format!("`type` is `{}`", kind.escape_debug());
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
                    if !matches!(inner.value.data, Data::Scalar(Scalar::Null)) {
                        reader.text(&inner.value, &format!("{key}.{}", inner.key.escape_debug()));
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
                let what = format!("`environment` is `{}`", text.escape_debug());
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
    const IDS: [&str; 3] = ["client_id", "object_id", "msi_resource_id"];
    let all = ["type", "client_id", "object_id", "msi_resource_id"];
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
    let mut ids = [None, None, None];
    for (id, key) in ids.iter_mut().zip(IDS) {
        let Some(entry) = entries.iter().find(|it| it.key == key) else { continue };
        let text = reader.text(&entry.value, &format!("identity.{key}"));
        *id = text.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        if matches!(kind, Some("user_identity" | "aml_token")) {
            let what =
                format!("`identity.{key}` names a managed identity, and the type is another");
            reader.wrong(entry.at, &what, "leave it out, or write `type: managed`");
        }
    }
    let [client_id, object_id, resource_id] = ids;
    match kind {
        Some("user_identity") => Identity::User,
        Some("managed" | "managed_identity") => {
            Identity::Managed(UserAssigned { client_id, object_id, resource_id })
        }
        _ => Identity::Unspecified,
    }
}

fn variables_of(reader: &mut Reader<'_>, node: &Node) -> Vec<Variable> {
    let mut variables = Vec::new();
    for Entry { key: name, at, value } in reader.map(node, "environment_variables") {
        let path = format!("environment_variables.{}", name.escape_debug());
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
