//! What the agent allows: the policy's file, the patterns of `--allow` and the token, which are read again on SIGHUP.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::geteuid;
use subtle::ConstantTimeEq as _;
use vaultlet_host::{Audit, Canonical, Error, Kind, Policy, Subject, User, read_secret_file};
use zeroize::Zeroizing;

use super::limits;

/// Where the rules come from.
#[derive(Clone, Debug, Default)]
pub struct RuleSources {
    /// The file with the policy.
    pub policy: Option<PathBuf>,
    /// Patterns of references that are allowed. With a policy both must allow.
    pub allow: Vec<String>,
    /// The file with the token that programs show on `--http`.
    pub token_file: Option<PathBuf>,
}

/// The rules that are in force.
pub(super) struct Rules {
    policy: Option<Policy>,
    pub(super) audit: Option<Arc<Audit>>,
    allow: Option<Policy>,
    token: Option<Zeroizing<String>>,
    /// The users whom the policy names, besides our own.
    pub(super) other_users: Vec<u32>,
}

impl RuleSources {
    /// Whether the program of whoever asks has a part in what is allowed, or is written down.
    pub(super) fn needs_programs(&self) -> bool {
        self.policy.is_some()
    }

    pub(super) fn read(&self) -> Result<Rules, Error> {
        let allow = match self.allow.as_slice() {
            [] => None,
            patterns => Some(Policy::from_patterns(patterns)?),
        };
        let (policy, audit) = self.policy()?;
        Ok(Rules::new(policy, audit, allow, self.token()?))
    }

    /// Reads again what is in files. Of what cannot be read the old one stays; the errors say so.
    pub(super) fn read_again(&self, old: &Rules) -> (Rules, Vec<Error>) {
        let mut errors = Vec::new();
        let (policy, audit) = self.policy().unwrap_or_else(|error| {
            errors.push(error);
            (old.policy.clone(), old.audit.clone())
        });
        let token = self.token().unwrap_or_else(|error| {
            errors.push(error);
            old.token.clone()
        });
        (Rules::new(policy, audit, old.allow.clone(), token), errors)
    }

    fn policy(&self) -> Result<(Option<Policy>, Option<Arc<Audit>>), Error> {
        let Some(file) = &self.policy else { return Ok((None, None)) };
        let policy = Policy::load(file)?;
        let audit = Arc::new(Audit::open(&policy)?);
        Ok((Some(policy), Some(audit)))
    }

    fn token(&self) -> Result<Option<Zeroizing<String>>, Error> {
        self.token_file.as_deref().map(read_token).transpose()
    }
}

impl Rules {
    fn new(
        policy: Option<Policy>,
        audit: Option<Arc<Audit>>,
        allow: Option<Policy>,
        token: Option<Zeroizing<String>>,
    ) -> Self {
        let other_users = policy.as_ref().map(Policy::names_other_users).unwrap_or_default();
        Self { policy, audit, allow, token, other_users }
    }

    /// Whether a request may be answered to this user at all.
    pub(super) fn answers(&self, user: u32) -> bool {
        user == geteuid().as_raw() || self.other_users.contains(&user)
    }

    /// Fails if the user or the program may not have the secret.
    pub(super) fn decide(
        &self,
        reference: &Canonical,
        user: &User,
        program: Option<&Path>,
    ) -> Result<(), Error> {
        let subject = Subject { reference, user, program };
        for policy in self.policy.iter().chain(&self.allow) {
            let decision = policy.decide(&subject);
            if !decision.allowed {
                return Err(policy.denial(reference, &decision));
            }
        }
        Ok(())
    }

    /// Whether a request on loopback has the token. Takes the same time wherever the first difference is.
    pub(super) fn has_token(&self, authorization: Option<&[u8]>) -> bool {
        let Some(token) = &self.token else { return false };
        let shown = authorization.and_then(|value| {
            let (scheme, rest) = value.split_at_checked("Bearer ".len())?;
            scheme.eq_ignore_ascii_case(b"Bearer ").then_some(rest)
        });
        bool::from(shown.unwrap_or_default().ct_eq(token.as_bytes()))
    }
}

fn read_token(path: &Path) -> Result<Zeroizing<String>, Error> {
    let wrong = |what: &str| {
        let message = format!("reading the agent's token from `{}`: {what}", path.display());
        let help = "write a long random text to the file, which only its readers may know: \
                    `openssl rand -hex 32`";
        Error::new(Kind::Configuration, "agent-token-file", message, help)
    };
    let content = read_secret_file(path, limits::TOKEN_MAX).map_err(|why| wrong(&why))?;
    let token = str::from_utf8(&content).map_err(|_| wrong("it is not text"))?.trim();
    if token.is_empty() {
        return Err(wrong("it is empty"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("it has spaces or characters that no header can hold"));
    }
    Ok(Zeroizing::new(token.to_owned()))
}
