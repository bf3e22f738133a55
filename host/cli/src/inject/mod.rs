//! `vaultlet inject`: a text in which references are replaced by secrets.

mod file;
mod template;

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use vaultlet_core::secret::SecretString;
use vaultlet_core::vault::{Reference, pointer};
use vaultlet_host::Kind;
use zeroize::Zeroizing;

use crate::child::Signals;
use crate::failure::Failure;
use crate::options::{CALLS_MAX, Options};
use crate::policy_flag::PolicyFlag;
use crate::references::{Fetched, fetch};
use crate::{given_file, output, streams};

use template::Place;

/// The most bytes that a template may have.
const TEMPLATE_MAX: usize = 64 << 20;

/// Replace references in a text by secrets
///
/// Each {{ REFERENCE }} in the text is replaced by the secret, exactly its bytes; a reference may be written in every
/// form that `vaultlet get` takes. Everything else stays as it is, byte for byte, other tools' texts between braces
/// too, unless they begin as a reference does.
///
/// Either all references are replaced, or nothing is written. A new file has mode 0600, and takes the place of an
/// old one in one step.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet inject --in-file config.yml.tpl --out-file config.yml
  echo 'password: {{ akv://my-key-vault/db-password }}' | vaultlet inject")]
pub(crate) struct Inject {
    /// The text with references; - is stdin, the default
    #[arg(long, short, value_name = "FILE")]
    in_file: Option<PathBuf>,
    /// Where to write the text with secrets; - is stdout, the default
    #[arg(long, short, value_name = "FILE")]
    out_file: Option<PathBuf>,
    #[command(flatten)]
    policy: PolicyFlag,
    #[command(flatten)]
    options: Options,
}

impl Inject {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        // A signal ends this process while it waits, but not while it replaces a file.
        let signals = Signals::block();
        let Self { in_file, out_file, policy, mut options } = self;
        policy.apply(&mut options);
        let named = |path: Option<PathBuf>| path.filter(|path| path.as_os_str() != "-");
        let (in_file, out_file) = (named(in_file), named(out_file));
        let work = move || {
            let target = out_file.as_deref().map(file::Target::find).transpose()?;
            let template = read(in_file.as_deref())?;
            let name = in_file.as_deref().map_or(OsStr::new("stdin"), Path::as_os_str);
            let text = fill(&template, &name.to_string_lossy(), &options)?;
            match target {
                None => output::bytes(&text).map(|()| None),
                Some(file::Target::Stream(mut stream)) => stream.write(&text).map(|()| None),
                Some(file::Target::File(file)) => Ok(Some((file, text))),
            }
        };
        match signals.unless_interrupted(work) {
            Ok(done) => {
                if let Some((file, text)) = done? {
                    file.replace(&text)?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(interrupted) => Ok(interrupted),
        }
    }
}

fn read(path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let mut template = Vec::new();
    let limit = TEMPLATE_MAX as u64 + 1;
    let read = match path {
        Some(path) => {
            given_file::open(path).and_then(|file| file.take(limit).read_to_end(&mut template))
        }
        None => streams::check_stdin()
            .and_then(|()| io::stdin().lock().take(limit).read_to_end(&mut template)),
    };
    let name = path.map_or_else(|| "stdin".to_owned(), |path| format!("`{}`", path.display()));
    let failed = |why: &str, help| {
        let message = format!("reading {name}: {why}");
        Failure::own(Kind::Configuration, "in-file", message, help)
    };
    match read {
        Ok(_) if template.len() > TEMPLATE_MAX => {
            Err(failed("it is larger than 64 MiB", "split it into smaller texts"))
        }
        Ok(_) => Ok(template),
        Err(error) => {
            Err(failed(&error.to_string().to_lowercase(), "correct `--in-file`, or the file"))
        }
    }
}

/// The template with secrets in the places of references; `name` is the template's in messages.
fn fill(template: &[u8], name: &str, options: &Options) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let places = template::places(template);
    let mut found = Vec::with_capacity(places.len());
    let mut failures = Vec::new();
    if !places.is_empty() {
        let settings = options.settings()?;
        for place in &places {
            match place.reference(&settings) {
                None => {}
                Some(Ok(reference)) => found.push(Found::new(place, reference)),
                Some(Err(failure)) => failures.push((label(name, place), failure)),
            }
        }
    }
    let mut secrets: Vec<_> = found.iter().map(|it| it.secret.as_str()).collect();
    secrets.sort_unstable();
    secrets.dedup();
    if secrets.is_empty() {
        options.check_policy()?;
    }
    let mut values = Vec::with_capacity(found.len());
    if failures.is_empty() && !secrets.is_empty() {
        let vaultlet = options.open_early(secrets.len().min(CALLS_MAX))?;
        let secrets = fetch(secrets, &vaultlet)?;
        for it in &found {
            match it.value(&secrets) {
                Ok(value) => values.push(value),
                Err(failure) => failures.push((label(name, it.place), failure)),
            }
        }
        if failures.is_empty() {
            vaultlet.record_blocking(secrets.values().filter_map(|got| got.as_ref().ok()))?;
        }
    }
    if !failures.is_empty() {
        return Err(Failure::of_variables(failures));
    }
    // A buffer that grows leaves copies.
    let room = template.len() + values.iter().map(|value| value.reveal().len()).sum::<usize>();
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    let mut at = 0;
    for (it, value) in found.iter().zip(&values) {
        text.extend_from_slice(template.get(at..it.place.range.start).unwrap_or_default());
        text.extend_from_slice(value.reveal().as_bytes());
        at = it.place.range.end;
    }
    text.extend_from_slice(template.get(at..).unwrap_or_default());
    Ok(text)
}

/// A place of the template with a reference.
struct Found<'a> {
    place: &'a Place<'a>,
    /// The secret, without a part of its value.
    secret: String,
    pointer: Option<String>,
}

impl<'a> Found<'a> {
    fn new(place: &'a Place<'a>, reference: Reference) -> Self {
        let pointer = reference.pointer.clone();
        let secret = Reference { pointer: None, ..reference }.canonical();
        Self { place, secret, pointer }
    }

    fn value(&self, secrets: &Fetched<'_>) -> Result<SecretString, Failure> {
        let whole = match secrets.get(self.secret.as_str()) {
            Some(Ok(unrecorded)) => SecretString::from(unrecorded.secret().reveal()),
            Some(Err(error)) => return Err(error.clone().into()),
            // The process would have ended.
            None => {
                return Err(Failure::own(
                    Kind::Internal,
                    "internal",
                    "a call gave no result".into(),
                    "",
                ));
            }
        };
        match &self.pointer {
            Some(pointer) => Ok(pointer::follow(&whole, pointer)?),
            None => Ok(whole),
        }
    }
}

/// A place in a message.
fn label(name: &str, place: &Place<'_>) -> String {
    format!("{name}:{}:{}", place.line, place.column)
}
