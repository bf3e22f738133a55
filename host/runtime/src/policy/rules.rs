//! The rules of a policy, and what they decide.

use std::path::{Path, PathBuf};

use crate::error::{Error, Kind};
use crate::file::shown;
use crate::system::files::{self, comparable};

use super::audit::Target;
use super::canonical::Canonical;
use super::glob::is_like;
use super::pattern::Pattern;
use super::user::User;

/// What may be read, by whom. What no rule allows is denied.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The file; `None` for patterns of the agent's `--allow`.
    pub(super) file: Option<PathBuf>,
    pub(super) rules: Vec<Rule>,
    pub(super) audit: Option<Target>,
}

/// A rule, which allows something.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) line: usize,
    pub(super) pattern: Pattern,
    pub(super) is_latest_only: bool,
    /// Any user, unless there are some here.
    pub(super) users: Option<Vec<User>>,
    /// Patterns of programs; any, unless there are some here.
    pub(super) programs: Option<Vec<Vec<u8>>>,
}

/// A request, as a policy sees it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The reference that is asked for.
    pub reference: &'a Canonical,
    /// The user who asks.
    pub user: &'a User,
    /// The program that asks, with all links resolved, where that is known.
    pub program: Option<&'a Path>,
}

/// What a policy says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// Whether the request is allowed.
    pub allowed: bool,
    /// The line of the rule that allows it; of a request that is denied, the line of the rule that would allow it but
    /// for [`Decision::reason`]. Of patterns that are in no file, the place in their list, from 1.
    pub line: Option<usize>,
    /// Why the request is denied.
    pub reason: Option<Reason>,
}

/// Why a request is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No rule has the reference.
    Reference,
    /// The rule allows the latest version only, and the reference names one.
    Version,
    /// The rule is for other users.
    User,
    /// The rule is for other programs.
    Program,
}

impl Reason {
    /// The reason in words that fit after "line 3 allows it".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reference => "by no rule",
            Self::Version => "without a version only",
            Self::User => "to other users only",
            Self::Program => "to other programs only",
        }
    }
}

/// A rule, for people.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuleText {
    /// The line where it begins.
    pub line: usize,
    /// The pattern of references.
    pub reference: String,
    /// Whether it allows the latest version only.
    pub is_latest_only: bool,
    /// The users; `None` is any.
    pub users: Option<Vec<User>>,
    /// The programs as they are written; `None` is any.
    pub programs: Option<Vec<String>>,
}

impl Policy {
    /// Reads a policy from a file. The error names the file and the line.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        super::file::read(path.as_ref())
    }

    /// The policy that allows what these patterns cover to everybody, as the agent's `--allow` does.
    pub fn from_patterns<P: AsRef<str>>(patterns: &[P]) -> Result<Self, Error> {
        let rule = |(at, text): (usize, &P)| {
            let pattern = Pattern::of_secrets(text.as_ref()).map_err(|refused| {
                let message = format!("reading `--allow`: {}", refused.why);
                Error::new(Kind::Usage, "usage", message, &refused.help)
            })?;
            Ok(Rule { line: at + 1, pattern, is_latest_only: false, users: None, programs: None })
        };
        let rules = patterns.iter().enumerate().map(rule).collect::<Result<_, Error>>()?;
        Ok(Self { file: None, rules, audit: None })
    }

    /// Decides about a request.
    pub fn decide(&self, subject: &Subject<'_>) -> Decision {
        let mut nearest = (None, Reason::Reference);
        for rule in &self.rules {
            match rule.refuses(subject) {
                None => return Decision { allowed: true, line: Some(rule.line), reason: None },
                Some(Reason::Reference) => {}
                Some(reason) if nearest.0.is_none() => nearest = (Some(rule.line), reason),
                Some(_) => {}
            }
        }
        Decision { allowed: false, line: nearest.0, reason: Some(nearest.1) }
    }

    /// The error of a request that was denied.
    pub fn denial(&self, reference: &Canonical, decision: &Decision) -> Error {
        let place = match &self.file {
            Some(file) => format!("the policy `{}`", shown(file)),
            None => "`--allow`".to_owned(),
        };
        let but = match (decision.line, decision.reason) {
            (Some(line), Some(reason)) => {
                format!(" (its line {line} allows it {})", reason.as_str())
            }
            _ => String::new(),
        };
        let what = match reference.version() {
            Some(version) => format!("{}/{version}", reference.secret()),
            None => reference.secret().to_owned(),
        };
        let message = format!("reading `{what}`: {place} does not allow it{but}");
        let help = match self.file {
            Some(_) => "have it allowed there by an `[[allow]]`, or ask for another secret",
            None => "have it allowed where the agent is started, or ask for another secret",
        };
        Error::new(Kind::Denied, "policy-denied", message, help)
    }

    /// The ids of the users that rules name, without our own.
    pub fn names_other_users(&self) -> Vec<u32> {
        let own = User::own().id();
        let users = self.rules.iter().filter_map(|rule| rule.users.as_ref()).flatten();
        let mut ids: Vec<_> = users.filter_map(User::id).filter(|id| Some(*id) != own).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The file that the policy was read from.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Where audit lines go: a file, `stderr` or `journal`.
    pub fn audit_target(&self) -> Option<String> {
        self.audit.as_ref().map(ToString::to_string)
    }

    /// The rules, in the order of the file.
    pub fn rules(&self) -> impl Iterator<Item = RuleText> + '_ {
        self.rules.iter().map(|rule| RuleText {
            line: rule.line,
            reference: rule.pattern.text(),
            is_latest_only: rule.is_latest_only,
            users: rule.users.clone(),
            programs: rule
                .programs
                .as_ref()
                .map(|all| all.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect()),
        })
    }
}

impl Rule {
    /// Why the rule does not allow a request; `None` if it does.
    fn refuses(&self, subject: &Subject<'_>) -> Option<Reason> {
        if !self.pattern.covers(subject.reference) {
            return Some(Reason::Reference);
        }
        if self.is_latest_only && subject.reference.version().is_some() {
            return Some(Reason::Version);
        }
        let is_user = |users: &Vec<User>| users.iter().any(|user| subject.user.is(user));
        if !self.users.as_ref().is_none_or(is_user) {
            return Some(Reason::User);
        }
        let program = subject.program.map(|path| path.as_os_str().as_encoded_bytes());
        let is_program = |programs: &Vec<Vec<u8>>| {
            program.is_some_and(|path| programs.iter().any(|pattern| fits(pattern, path)))
        };
        (!self.programs.as_ref().is_none_or(is_program)).then_some(Reason::Program)
    }
}

/// Whether a pattern fits a program's path: as it is written, or where the links lead that it names.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    let resolved = || files::path(pattern)?.canonicalize().ok();
    let is_equal = |it: PathBuf| comparable(it.as_os_str().as_encoded_bytes()) == comparable(path);
    is_like(&comparable(pattern), &comparable(path))
        || (!pattern.contains(&b'*') && resolved().is_some_and(is_equal))
}
