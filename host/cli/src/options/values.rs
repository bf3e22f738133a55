//! What the flags and variables of settings say.

use std::ffi::OsString;
use std::io::{self, Read as _};

use vaultlet_core::settings::{self, SETTINGS, Setting, Settings};
use vaultlet_host::{Kind, Vaultlet};

use crate::failure::Failure;
use crate::shown_variables::{OF_HOST, shown};
use crate::streams;

use super::Options;

/// The most bytes that a user's token may have, on stdin as in a file.
const ASSERTION_MAX: usize = 64 << 10;

impl Options {
    /// The settings by which references are read, as the component reads them. A flag hides its variable; one that
    /// references do not depend on is left out, and reported when a handle is opened if it is malformed.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let needed = [
            settings::ALLOW_HTTP_LOOPBACK.variable,
            settings::CLOUD.variable,
            settings::EXCLUDE.variable,
            settings::IDENTITY.variable,
        ];
        let get = |name: &str| match SETTINGS.iter().find(|setting| setting.variable == name) {
            Some(setting) if self.given.has(setting.flag) => {
                if needed.contains(&name) {
                    self.value(setting)
                } else {
                    None
                }
            }
            _ => std::env::var(name).ok(),
        };
        Ok(Settings::read(&get)?)
    }

    /// A setting as its variable has it, whether a flag or the variable gives it.
    fn value(&self, setting: &Setting) -> Option<String> {
        if !self.given.has(setting.flag) {
            return std::env::var(setting.variable).ok();
        }
        if setting.variable == settings::ALLOW_HTTP_LOOPBACK.variable {
            return Some(self.allow_http_loopback.to_string());
        }
        let values = self.given().filter(|(it, _)| it.variable == setting.variable);
        let values: Vec<_> = values.map(|(_, value)| value).collect();
        Some(values.join(setting.separator.unwrap_or_default()))
    }

    /// The values of flags, but those in which nothing secret can stand, each by its flag.
    pub(crate) fn given_texts(&self) -> impl Iterator<Item = (&'static str, String)> {
        let given = self.given();
        given
            .filter(|(setting, value)| shown(setting.variable, value).as_ref() != Some(value))
            .map(|(setting, value)| (setting.flag, value))
    }

    /// The settings as variables, whether flags or variables give them.
    pub(crate) fn as_variables(&self) -> Vec<(String, String)> {
        let all = SETTINGS.iter();
        all.filter_map(|it| Some((it.variable.to_owned(), self.value(it)?))).collect()
    }

    /// The values of flags.
    fn given(&self) -> impl Iterator<Item = (&'static Setting, String)> {
        let lists = [
            (&settings::IDENTITY, &self.identity),
            (&settings::EXCLUDE, &self.exclude),
            (&settings::ADDITIONAL_TENANTS, &self.additional_tenants),
            (&settings::RESOLVE, &self.resolve),
            (&settings::ALLOW_HTTP_IDENTITY, &self.allow_http_identity),
        ];
        let single = [
            (&settings::CLIENT_ID, &self.client_id),
            (&settings::OBJECT_ID, &self.object_id),
            (&settings::RESOURCE_ID, &self.resource_id),
            (&settings::USER_ASSERTION_FILE, &self.user_assertion_file),
            (&settings::CLOUD, &self.cloud),
            (&settings::TIMEOUT, &self.timeout),
        ];
        let ca_file = self.ca_file.iter();
        let ca_file = ca_file.map(|file| (&settings::CA_FILE, file.display().to_string()));
        let lists = lists.into_iter().flat_map(|(setting, values)| {
            values.iter().map(move |value| (setting, value.trim().to_owned()))
        });
        let single = single
            .into_iter()
            .filter_map(|(setting, value)| Some((setting, value.as_ref()?.trim().to_owned())));
        lists.chain(single).chain(ca_file)
    }

    /// What is wrong with each setting, and with each variable that the host reads, by itself; by its variable.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (&'static str, Failure)> {
        let value = |setting: &'static Setting| {
            let flag = self.given.has(setting.flag).then_some(setting.flag);
            Some((setting.variable, flag, self.value(setting)?))
        };
        let of_host =
            OF_HOST.iter().filter_map(|name| Some((*name, None, std::env::var(name).ok()?)));
        SETTINGS.iter().filter_map(value).chain(of_host).filter_map(|(name, flag, value)| {
            let flags: Vec<_> = flag.iter().map(|flag| flag.trim_start_matches('-')).collect();
            let alone = Vaultlet::builder().variables([(name, value)]).given_as_flags(&flags);
            let error = alone.concurrency(1).open().err();
            let error = error.filter(|error| error.kind == Kind::Configuration || flag.is_some());
            error.map(|error| (name, Failure::from(error)))
        })
    }

    /// The user's token from stdin, if a setting says `-`.
    pub(super) fn user_assertion(&self) -> Result<Option<String>, Failure> {
        let variable = settings::USER_ASSERTION_FILE.variable;
        let given = self.user_assertion_file.clone().map(OsString::from);
        let file = given.or_else(|| std::env::var_os(variable)).unwrap_or_default();
        if file.to_str().map(str::trim) != Some("-") {
            return Ok(None);
        }
        let mut token = String::with_capacity(ASSERTION_MAX);
        let read = streams::check_stdin().and_then(|()| {
            io::stdin().lock().take(ASSERTION_MAX as u64).read_to_string(&mut token)
        });
        read.map_err(|error| {
            let message = format!("reading the user's token from stdin: {error}");
            Failure::own(
                Kind::Configuration,
                "setting-malformed",
                message,
                "write the token as UTF-8 text",
            )
        })?;
        Ok(Some(token))
    }
}
