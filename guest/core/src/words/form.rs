//! Forms (`application/x-www-form-urlencoded`) with the fields in alphabetical order.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::words::{
    scrub::Scrubbed,
    secret::SecretString,
    url::{self, unescaped},
};

/// A form under construction.
#[derive(Default)]
pub(crate) struct Form(Vec<(&'static str, Scrubbed<String>)>);

impl Form {
    /// Adds a field.
    pub(crate) fn text(mut self, name: &'static str, value: &str) -> Self {
        let at = self.0.partition_point(|(known, _)| *known < name);
        self.0.insert(at, (name, value.to_owned().into()));
        self
    }

    /// Encodes the form as a request body.
    pub(crate) fn finish(self) -> SecretString {
        let mut body = String::new();
        for (name, value) in &self.0 {
            if !body.is_empty() {
                body.push('&');
            }
            body.push_str(name);
            body.push('=');
            url::escape(&mut body, value);
        }
        body.into()
    }
}

/// Fields that error messages must not show, even if a server repeats them.
const SECRETS: [&str; 5] =
    ["assertion", "client_assertion", "client_secret", "device_code", "password"];

/// The secret values in an encoded form.
pub(crate) fn secrets(body: &SecretString) -> Vec<SecretString> {
    let pairs = body.reveal().split('&').filter_map(|pair| pair.split_once('='));
    let secrets = pairs.filter(|(name, _)| SECRETS.contains(name));
    secrets
        .filter_map(|(_, value)| unescaped(value))
        .map(|value| value.into_owned().into())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_sorted_and_escaped() {
        let form = Form::default().text("scope", "https://v/.default").text("a", "ä b&c=d+");
        assert_eq!(
            form.finish().reveal(),
            "a=%C3%A4%20b%26c%3Dd%2B&scope=https%3A%2F%2Fv%2F.default"
        );
        assert_eq!(Form::default().finish().reveal(), "");
    }

    #[test]
    fn secret_fields_are_found() {
        let form = Form::default().text("password", "p&w").text("scope", "x").finish();
        let secrets = secrets(&form);
        assert_eq!(secrets.iter().map(SecretString::reveal).collect::<Vec<_>>(), ["p&w"]);
    }
}
