//! The settings of vaultlet: one table for the component, its host, both command lines and the pages.

use alloc::string::String;
use core::fmt;

use super::Lookup;
use crate::error::Error;

/// A setting: a `VAULTLET_*` variable and the flag that stands for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The variable: `VAULTLET_CLOUD`.
    pub variable: &'static str,
    /// The flag: `--cloud`.
    pub flag: &'static str,
    /// The placeholder for the value in a line of usage: `CLOUD`. None: a switch, whose variable is
    /// `true` or `false`.
    pub value: Option<&'static str>,
    /// The separator of several values in the variable; the flag may then be repeated. None: a single
    /// value.
    pub separator: Option<&'static str>,
    /// The side that reads the setting.
    pub reader: Reader,
    /// One line for `--help`.
    pub help: &'static str,
}

/// The side that reads a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The component, in every role that the setting concerns.
    Component,
    /// The native host, which connects for the component. A stock runtime ignores the setting.
    Host,
}

/// The variable by which a host states which settings a person gave as flags: their flags without the
/// dashes, separated by commas (`identity,cloud`). An error about one of them names the flag, and is of
/// the kind `usage`; about any other setting it names the variable. With [`IN_JOB`] before it, the flag
/// stands for a setting that came from the file of an Azure ML job, and the error names that file's member.
pub const FLAGS: &str = "VAULTLET_FLAGS";

/// What is before the flag of a setting that came from the file of an Azure ML job.
pub const IN_JOB: &str = "job:";

/// The settings that the file of an Azure ML job can hold, and its members that hold them.
const JOB_MEMBERS: [(&Setting, &str); 3] = [
    (&IDENTITY, "identity.type"),
    (&CLIENT_ID, "identity.client_id"),
    (&OBJECT_ID, "identity.object_id"),
];

macro_rules! settings {
    ($($name:ident $reader:ident $variable:literal $flag:literal $value:expr, $separator:expr, $help:literal)*) => {
        $(
            #[doc = concat!("`", $variable, "`")]
            pub const $name: Setting = Setting {
                variable: $variable,
                flag: $flag,
                value: $value,
                separator: $separator,
                reader: Reader::$reader,
                help: $help,
            };
        )*

        /// All settings, in the order of `--help`.
        pub const SETTINGS: &[Setting] = &[$($name),*];
    };
}

settings! {
    IDENTITY Component "VAULTLET_IDENTITY" "--identity" Some("LABEL,…"), Some(","),
        "Sources of credentials, in order [default: auto]: environment, workload-identity, \
         azureml-obo, managed-identity, azure-cli, azure-developer-cli, azure-powershell; only when \
         named: azure-pipelines, on-behalf-of, device-code"
    EXCLUDE Component "VAULTLET_EXCLUDE" "--exclude" Some("LABEL,…"), Some(","),
        "Sources of credentials to leave out"
    CLIENT_ID Component "VAULTLET_CLIENT_ID" "--client-id" Some("GUID"), None,
        "The user-assigned managed identity, by client id"
    OBJECT_ID Component "VAULTLET_OBJECT_ID" "--object-id" Some("GUID"), None,
        "The user-assigned managed identity, by object id"
    RESOURCE_ID Component "VAULTLET_RESOURCE_ID" "--resource-id" Some("ID"), None,
        "The user-assigned managed identity, by Azure resource id"
    ADDITIONAL_TENANTS Component "VAULTLET_ADDITIONAL_TENANTS" "--additional-tenants" Some("ID,…"), Some(";"),
        "Tenants that tokens may be requested from besides the configured one, * for all; may be \
         repeated"
    USER_ASSERTION_FILE Component "VAULTLET_USER_ASSERTION_FILE" "--user-assertion-file" Some("FILE"), None,
        "The file with the user's token, for on-behalf-of (- is stdin)"
    CLOUD Component "VAULTLET_CLOUD" "--cloud" Some("CLOUD"), None,
        "The cloud of vaults that are named without a domain: public, china, usgov [default: public]"
    TIMEOUT Component "VAULTLET_TIMEOUT" "--timeout" Some("SECONDS"), None,
        "The time that the whole command may take [default: 120]"
    CA_FILE Host "VAULTLET_CA_FILE" "--ca-file" Some("PEM"), None,
        "Trust these certificates in addition to the built-in roots"
    RESOLVE Host "VAULTLET_RESOLVE" "--resolve" Some("HOST:PORT:ADDR[:PORT]"), Some(","),
        "Connect to this address instead of the host's; the certificate is still checked against the \
         host name; may be repeated"
    ALLOW_HTTP_LOOPBACK Component "VAULTLET_ALLOW_HTTP_LOOPBACK" "--allow-http-loopback" None, None,
        "Accept http:// for a vault on loopback"
    ALLOW_HTTP_IDENTITY Component "VAULTLET_ALLOW_HTTP_IDENTITY" "--allow-http-identity" Some("HOST,…"), Some(","),
        "Accept http:// for an identity endpoint at these hosts, whose addresses must be private; may \
         be repeated"
}

impl Setting {
    /// The setting's value and the name by which it was given; none when it is unset or empty.
    pub(super) fn read(&'static self, get: Lookup<'_>) -> Option<(String, Name)> {
        get(self.variable).map(|value| (value, self.name(get)))
    }

    fn name(&'static self, get: Lookup<'_>) -> Name {
        let bare = self.flag.trim_start_matches('-');
        let flags = get(FLAGS).unwrap_or_default();
        let given = |before| flags.split(',').any(|it| it.strip_prefix(before) == Some(bare));
        if given("") {
            return Name { text: self.flag, is_flag: true };
        }
        let member = JOB_MEMBERS.iter().find(|(it, _)| *it == self && given(IN_JOB));
        Name { text: member.map_or(self.variable, |(_, member)| member), is_flag: false }
    }
}

/// The name by which a setting was given: the flag or the member of a file, if the value came from one, else the
/// variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    text: &'static str,
    is_flag: bool,
}

impl Name {
    /// The name of a setting that is only a variable and has no flag.
    pub(super) const fn variable(text: &'static str) -> Self {
        Self { text, is_flag: false }
    }

    /// The flag, the member, or the variable.
    pub(crate) const fn text(self) -> &'static str {
        self.text
    }

    /// The error for a malformed setting. The value is not quoted: it may be a secret that was put in the
    /// wrong place.
    pub(super) fn malformed(self, expected: &str) -> Error {
        let error = super::malformed(self.text, expected);
        if self.is_flag { error.into_usage() } else { error }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    fn refused(variables: &[(&str, &str)]) -> Error {
        let value = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into())
        };
        Settings::read(&value).err().unwrap()
    }

    #[test]
    fn an_error_names_the_flag_or_the_variable_that_was_given() {
        for setting in SETTINGS.iter().filter(|setting| setting.reader == Reader::Component) {
            if *setting == USER_ASSERTION_FILE {
                // Any text is a file's name.
                continue;
            }
            let wrong = (setting.variable, "not right");
            let bare = setting.flag.trim_start_matches('-');
            let by_flag = refused(&[wrong, (FLAGS, &alloc::format!("log,{bare}"))]);
            assert_eq!((by_flag.id.as_str(), by_flag.kind.name()), ("usage", "usage"));
            assert!(by_flag.message.contains(&alloc::format!("`{}`", setting.flag)), "{bare}");
            for flags in ["", "log", "no"] {
                let by_variable = refused(&[wrong, (FLAGS, flags)]);
                assert_eq!(by_variable.id, "setting-malformed", "{bare}");
                assert!(by_variable.message.contains(&alloc::format!("`{}`", setting.variable)));
            }
        }
    }

    #[test]
    fn a_conflict_of_a_flag_and_a_variable_names_both() {
        const ID: &str = "11111111-1111-4111-8111-111111111111";
        let both = [("VAULTLET_CLIENT_ID", ID), ("VAULTLET_OBJECT_ID", ID), (FLAGS, "object-id")];
        let error = refused(&both);
        assert_eq!(error.id, "settings-conflict");
        assert!(
            error.message.contains("`VAULTLET_CLIENT_ID` and `--object-id`"),
            "{}",
            error.message
        );
    }
}
