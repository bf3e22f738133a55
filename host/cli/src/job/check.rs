//! What is wrong with a job file, and which of its references the identity may not read.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use vaultlet_core::settings::Settings;
use vaultlet_core::visible::on_one_line;

use super::definition::Definition;
use super::file::{self, JobFile};
use super::finding::Finding;
use super::mentions::{self, within};
use super::shown;
use super::yaml::Place;
use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::references::{Variable, check_readable};

/// A reference in a file.
struct Reference {
    /// What has it: a path of members.
    path: String,
    text: String,
    at: Option<Place>,
}

/// Prints what is wrong. The exit code is that of the first finding.
pub(super) fn check(job: JobFile, options: &Options, is_json: bool) -> Result<ExitCode, Failure> {
    let JobFile { path, definition, mut findings, .. } = job;
    let references = references(&definition, &options.settings()?);
    findings.extend(unreadable(&references, options)?);
    findings.sort_by_key(Finding::order);
    let (notes, findings): (Vec<_>, Vec<_>) = findings.into_iter().partition(|it| it.is_note);
    let file = path.display().to_string();
    if is_json {
        print_json(&file, &findings, &notes, &references)?;
    } else {
        print(&file, &findings, &notes, references.len())?;
    }
    match findings.first() {
        None => Ok(ExitCode::SUCCESS),
        Some(first) => {
            let count = findings.len();
            let things =
                if count == 1 { "one thing is".to_owned() } else { format!("{count} things are") };
            let message = format!("checking the job `{file}`: {things} wrong");
            Err(first.failure.retold(message, "see the list on stdout"))
        }
    }
}

/// The references of a job: whole values of variables, and those within the command and its inputs.
fn references(definition: &Definition, settings: &Settings) -> Vec<Reference> {
    let mut all = Vec::new();
    for variable in &definition.variables {
        let text = variable.value.clone().unwrap_or_default();
        if !is_reference(text.trim(), settings) {
            continue;
        }
        let path = format!("environment_variables.{}", shown::shown(&variable.name));
        all.push(Reference { path, text, at: Some(variable.at) });
    }
    for input in definition.inputs.iter().filter(|it| !it.is_data) {
        for text in within(&input.text, settings) {
            all.push(Reference {
                path: format!("inputs.{}", input.name),
                text,
                at: Some(input.at),
            });
        }
    }
    for text in within(&definition.command, settings) {
        if !all.iter().any(|it| it.text == text && it.path.starts_with("inputs.")) {
            all.push(Reference { path: "command".to_owned(), text, at: definition.command_at });
        }
    }
    all
}

/// The references of a job file, each with what has it.
pub(crate) fn references_of(
    path: &Path,
    settings: &Settings,
) -> Result<Vec<(String, String)>, Failure> {
    let job = file::read(path, &[], false)?;
    if let Some(first) = job.findings.into_iter().next() {
        return Err(first.failure);
    }
    let all = references(&job.definition, settings).into_iter();
    Ok(all.map(|reference| (reference.path, reference.text)).collect())
}

/// Whether a variable's value is a reference, perhaps a malformed one.
fn is_reference(text: &str, settings: &Settings) -> bool {
    mentions::is_meant(text) || mentions::is_secret_url(text, settings)
}

/// The findings about references that are malformed or cannot be read.
fn unreadable(references: &[Reference], options: &Options) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    let mut left: Vec<usize> = (0..references.len()).collect();
    // What is malformed is found before the others are read, which are read then.
    while !left.is_empty() {
        let variable = |number: &usize| {
            let reference = references.get(*number)?;
            let (name, value) = (number.to_string().into(), reference.text.clone().into());
            Some(Variable { name, value, is_inherited: false })
        };
        let failures = match check_readable(left.iter().filter_map(variable).collect(), options) {
            Ok(()) => break,
            Err(failure) => failure.into_variables()?,
        };
        let before = left.len();
        let is_read = failures.iter().all(|(_, it)| it.id() != "reference-malformed");
        for (name, failure) in failures {
            let Some(number) = name.parse::<usize>().ok() else { continue };
            left.retain(|it| *it != number);
            if let Some(reference) = references.get(number) {
                let failure = failure.about(&reference.path);
                findings.push(Finding::unreadable(reference.at, failure));
            }
        }
        if is_read || left.len() == before {
            break;
        }
    }
    Ok(findings)
}

fn print(
    file: &str,
    findings: &[Finding],
    notes: &[Finding],
    references: usize,
) -> Result<(), Failure> {
    let mut text = String::new();
    let mut all: Vec<_> = findings.iter().chain(notes).collect();
    all.sort_by_key(|it| it.order());
    for finding in all {
        let place = match finding.at {
            Some(Place::Line { line, column }) => format!(":{line}:{column}"),
            Some(Place::Set) => ": `--set`".to_owned(),
            None => String::new(),
        };
        let note = if finding.is_note { "note: " } else { "" };
        let line = format!("{file}{place}: {note}{}", finding.told);
        text.extend(on_one_line(&line));
        text.push('\n');
    }
    if findings.is_empty() {
        let line = match references {
            0 => format!("{file}: nothing is wrong; there is no reference in it\n"),
            1 => format!("{file}: nothing is wrong; its one reference can be read\n"),
            count => format!("{file}: nothing is wrong; its {count} references can be read\n"),
        };
        text.push_str(&line);
    }
    output::plain(&text)
}

#[derive(Serialize)]
struct Json<'a> {
    file: &'a str,
    findings: Vec<JsonFinding<'a>>,
    notes: Vec<JsonFinding<'a>>,
    references: Vec<JsonReference<'a>>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    id: &'a str,
    kind: &'a str,
    message: &'a str,
    help: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

#[derive(Serialize)]
struct JsonReference<'a> {
    path: &'a str,
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

fn json_finding(finding: &Finding) -> JsonFinding<'_> {
    let failure = &finding.failure;
    let (id, kind) = (failure.id(), failure.kind());
    let (message, help) = (failure.message(), failure.help());
    let (line, column) = finding.place().unzip();
    JsonFinding { id, kind, message, help, line, column }
}

fn print_json(
    file: &str,
    findings: &[Finding],
    notes: &[Finding],
    references: &[Reference],
) -> Result<(), Failure> {
    let (findings, notes) =
        (findings.iter().map(json_finding).collect(), notes.iter().map(json_finding).collect());
    let references = references.iter().map(|it| JsonReference {
        path: &it.path,
        reference: shown::reference(&it.text),
        line: match it.at {
            Some(Place::Line { line, .. }) => Some(line),
            Some(Place::Set) | None => None,
        },
    });
    let json = Json { file, findings, notes, references: references.collect() };
    output::json_line(&json)
}
