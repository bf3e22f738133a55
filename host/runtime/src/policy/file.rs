//! A policy's file: TOML, of which every key and every type is known.

use std::io;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Error;
use crate::file::{describe, open, shown};
use crate::limits;
use crate::system::files::{is_whole, untrusted};

use super::audit::Target;
use super::pattern::Pattern;
use super::rules::{Policy, Rule};
use super::user::User;

/// Reads a policy from a file that nobody else may write.
pub(super) fn read(path: &Path) -> Result<Policy, Error> {
    let bytes = content(path)?;
    let text = match str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            return Err(malformed(path, line, "it is not UTF-8", "write it as UTF-8"));
        }
    };
    parse(text, path)
}

fn content(path: &Path) -> Result<Vec<u8>, Error> {
    use std::io::Read as _;
    let unreadable = |error: io::Error| {
        let message = format!("reading the policy `{}`: {}", shown(path), describe(&error));
        let help = "correct `--policy` (`VAULTLET_POLICY`), or the file";
        Error::configuration("policy-file", message, help)
    };
    let (file, metadata) = open(path).map_err(unreadable)?;
    if let Some((why, help)) = untrusted(&metadata, path) {
        let message = format!("reading the policy `{}`: {why}", shown(path));
        return Err(Error::configuration("policy-untrusted", message, &help));
    }
    let mut bytes = Vec::new();
    file.take(limits::POLICY_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limits::POLICY_MAX {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}

/// Parses the text of a policy; `path` is its file.
pub(super) fn parse(text: &str, path: &Path) -> Result<Policy, Error> {
    let mut reader = Reader { fault: None };
    let policy = match DeTable::parse(text) {
        Ok(document) => reader.policy(document.get_ref(), path),
        Err(error) => {
            let at = error.span().map_or(text.len(), |span| span.start);
            reader.refuse(at, error.message(), "correct it: a policy is TOML");
            None
        }
    };
    match (reader.fault, policy) {
        (None, Some(mut policy)) => {
            policy.rules.iter_mut().for_each(|rule| rule.line = line(text, rule.line));
            Ok(policy)
        }
        (Some(fault), _) => Err(malformed(path, line(text, fault.at), &fault.why, &fault.help)),
        (None, None) => Err(Error::internal("reading a policy: there is none")),
    }
}

fn malformed(path: &Path, line: usize, why: &str, help: &str) -> Error {
    let message = format!("reading the policy `{}`: line {line}: {why}", shown(path));
    Error::configuration("policy-malformed", message, help)
}

/// The line of a place in a text.
fn line(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// What is wrong with a policy.
struct Fault {
    at: usize,
    why: String,
    help: String,
}

/// Reads tables, and keeps the first fault in the order of the text.
struct Reader {
    fault: Option<Fault>,
}

type Value<'i> = Spanned<DeValue<'i>>;

impl Reader {
    fn refuse(&mut self, at: usize, why: &str, help: &str) {
        if self.fault.as_ref().is_none_or(|fault| at < fault.at) {
            self.fault = Some(Fault { at, why: why.to_owned(), help: help.to_owned() });
        }
    }

    /// Refuses each key of a table that is not one of these, and returns their values.
    fn keys<'t, 'i, const N: usize>(
        &mut self,
        table: &'t DeTable<'i>,
        known: [&str; N],
    ) -> [Option<&'t Value<'i>>; N] {
        for key in table.keys() {
            let name = key.get_ref();
            if !known.contains(&&**name) {
                let shown = name.escape_debug();
                let names = known.map(|name| format!("`{name}`")).join(", ");
                let why = format!("the key `{shown}` is not known");
                self.refuse(key.span().start, &why, &format!("the keys here are {names}"));
            }
        }
        known.map(|name| table.get(name))
    }

    fn policy(&mut self, document: &DeTable<'_>, path: &Path) -> Option<Policy> {
        let [allow, audit] = self.keys(document, ["allow", "audit"]);
        let mut rules = Vec::new();
        match allow.map(|it| (it.span(), it.get_ref())) {
            None => {}
            Some((_, DeValue::Array(tables))) => {
                for table in tables.iter() {
                    rules.extend(self.rule(table));
                }
            }
            Some((span, _)) => self.wrong_type(
                &span,
                "`allow`",
                "a list of tables",
                "write `[[allow]]` above each rule",
            ),
        }
        let audit = audit.and_then(|audit| self.audit(audit, path));
        Some(Policy { file: Some(path.to_owned()), rules, audit })
    }

    /// A rule, with the place in the text as its line.
    fn rule(&mut self, value: &Value<'_>) -> Option<Rule> {
        let start = value.span().start;
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(
                &value.span(),
                "a rule of `allow`",
                "a table",
                "write `[[allow]]` above each rule",
            );
            return None;
        };
        let keys = ["reference", "versions", "user", "program"];
        let [reference, versions, user, program] = self.keys(table, keys);
        let Some(reference) = reference else {
            // A key that is misspelt says more.
            if table.keys().all(|key| keys.contains(&&**key.get_ref())) {
                let help = "write reference = \"akv://VAULT/NAME\"";
                self.refuse(start, "the rule has no `reference`", help);
            }
            return None;
        };
        let is_latest_only = match versions.map(|it| self.text(it, "`versions`")) {
            None | Some(Some("any")) => false,
            Some(Some("latest")) => true,
            Some(None) => return None,
            Some(Some(_)) => {
                let at = versions.map_or(start, |it| it.span().start);
                self.refuse(
                    at,
                    "`versions` is neither \"any\" nor \"latest\"",
                    "write one of them, or leave it out",
                );
                return None;
            }
        };
        let text = self.text(reference, "`reference`")?;
        let pattern = match Pattern::of_secrets(text) {
            Ok(pattern) => pattern,
            Err(refused) => {
                self.refuse(reference.span().start, &refused.why, &refused.help);
                return None;
            }
        };
        if let Some(versions) = versions.filter(|_| is_latest_only && pattern.has_version()) {
            let help = "leave the version or `versions` out";
            self.refuse(
                versions.span().start,
                "the rule names a version and allows the latest one only",
                help,
            );
        }
        let users = user.map(|user| {
            let is_name = |name: &str| !name.is_empty() && !name.contains(char::is_control);
            let help = "write the names or ids of users; for every user leave `user` out";
            let names = self.texts(user, "`user`", is_name, help);
            names.into_iter().map(User::named).collect()
        });
        let programs = program.map(|program| {
            let is_path = |path: &str| is_whole(path) && !path.contains('\0');
            let help = "write whole paths, as in \"/usr/bin/python3*\"; for every program leave `program` out";
            let paths = self.texts(program, "`program`", is_path, help);
            paths.into_iter().map(|path| path.as_bytes().to_vec()).collect()
        });
        Some(Rule { line: start, pattern, is_latest_only, users, programs })
    }

    fn audit(&mut self, value: &Value<'_>, path: &Path) -> Option<Target> {
        const HELP: &str = "write file = \"PATH\", \"stderr\" or \"journal\"";
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(&value.span(), "`audit`", "a table", "write `[audit]` above it");
            return None;
        };
        let [file] = self.keys(table, ["file"]);
        let Some(file) = file else {
            self.refuse(value.span().start, "`[audit]` has no `file`", HELP);
            return None;
        };
        let text = self.text(file, "`file`")?;
        if text.is_empty() || text.contains('\0') {
            self.refuse(file.span().start, "`file` names nothing", HELP);
        }
        // Whole, as the process may go to another folder.
        let policy = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = policy.parent().unwrap_or(Path::new(""));
        Some(match text {
            "stderr" => Target::Stderr,
            "journal" => Target::Journal,
            file => Target::File(folder.join(file)),
        })
    }

    fn text<'v>(&mut self, value: &'v Value<'_>, what: &str) -> Option<&'v str> {
        match value.get_ref() {
            DeValue::String(text) => Some(text),
            _ => {
                self.wrong_type(&value.span(), what, "a text", "write it between quotes");
                None
            }
        }
    }

    /// The texts of a list, which is not empty.
    fn texts<'v>(
        &mut self,
        value: &'v Value<'_>,
        what: &str,
        is_good: impl Fn(&str) -> bool,
        help: &str,
    ) -> Vec<&'v str> {
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(&value.span(), what, "a list of texts", help);
            return Vec::new();
        };
        if items.is_empty() {
            self.refuse(value.span().start, &format!("{what} names nobody"), help);
        }
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) if is_good(text) => texts.push(&**text),
                DeValue::String(text) => {
                    let why = format!("{what} cannot be `{}`", text.escape_debug());
                    self.refuse(item.span().start, &why, help);
                }
                _ => self.wrong_type(&item.span(), what, "a list of texts", help),
            }
        }
        texts
    }

    fn wrong_type(&mut self, at: &Range<usize>, what: &str, wanted: &str, help: &str) {
        self.refuse(at.start, &format!("{what} is not {wanted}"), help);
    }
}
