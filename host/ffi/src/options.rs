//! Options of a handle, by the names of the command line's flags.

use std::ffi::c_char;

use vaultlet_host::{Builder, Error, Kind};

use crate::boxed::free;
use crate::error::vaultlet_error;
use crate::run::guarded;
use crate::text::{text, usage};

/// Options to open a handle with. Only one thread at a time may use them.
#[derive(Default)]
pub struct vaultlet_options {
    builder: Builder,
    variables: Option<Vec<(String, String)>>,
}

impl vaultlet_options {
    pub(crate) fn builder(&self) -> Builder {
        let builder = self.builder.clone();
        match &self.variables {
            Some(variables) => builder.variables(variables.iter().cloned()),
            None => builder,
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let builder = std::mem::take(&mut self.builder);
        let before = builder.clone();
        let set = set(builder, name, value);
        self.builder = set.as_ref().map_or(before, Clone::clone);
        set.map(drop)
    }
}

fn set(builder: Builder, name: &str, value: &str) -> Result<Builder, Error> {
    let malformed = |must: &str| {
        let message = format!("setting the option `{name}`: its value is not {must}");
        Error::new(Kind::Configuration, "setting-malformed", message, "correct it")
    };
    Ok(match name {
        "identity" => builder.identity(value),
        "exclude" => builder.exclude(value),
        "client-id" => builder.client_id(value),
        "object-id" => builder.object_id(value),
        "resource-id" => builder.resource_id(value),
        "additional-tenants" => builder.additional_tenants(value),
        "user-assertion-file" => builder.user_assertion_file(value),
        "cloud" => builder.cloud(value),
        "timeout" => builder.timeout_text(value),
        "ca-file" => builder.ca_file(value),
        "resolve" => builder.resolve(value),
        "policy" => builder.policy(value),
        "agent" => builder.agent(value),
        "agent-token-file" => builder.agent_token_file(value),
        "agent-fallback" => builder.agent_fallback(value),
        "concurrency" => match value.trim().parse() {
            Ok(calls @ 1..=1024) => builder.concurrency(calls),
            _ => return Err(malformed("a number from 1 to 1024")),
        },
        "allow-http-loopback" => match value.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => builder.allow_http_loopback(true),
            "false" | "0" => builder.allow_http_loopback(false),
            _ => return Err(malformed("`true` or `false`")),
        },
        "allow-http-identity" => builder.allow_http_identity(value),
        _ => {
            return Err(usage(
                "setting an option: there is none of this name".into(),
                "see vaultlet.h for the names",
            ));
        }
    })
}

/// Makes options in which nothing is set, so that all settings come from the environment.
#[unsafe(no_mangle)]
pub extern "C" fn vaultlet_options_new() -> *mut vaultlet_options {
    Box::into_raw(Box::default())
}

/// Sets an option. The names are those of the command line's flags: `identity`, `exclude`,
/// `client-id`, `object-id`, `resource-id`, `additional-tenants`, `user-assertion-file`, `cloud`,
/// `timeout` (seconds), `ca-file` and `resolve` (both may be set several times),
/// `allow-http-loopback` (`true` or `false`), `allow-http-identity` (hosts, separated by commas), `policy` (a file); `agent`
/// (`unix:PATH` or `http://127.0.0.1:PORT`; an empty text means none), `agent-token-file` and `agent-fallback` (`none` or
/// `direct`), which are those of `VAULTLET_AGENT`; and
/// `concurrency`, the number of concurrent calls, 1 to 1024 (default 64). An option takes precedence over
/// the environment variable. Some values are checked by `vaultlet_open` only.
///
/// # Safety
/// `options` is NULL or from vaultlet; the strings are NULL or end with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_options_set(
    options: *mut vaultlet_options,
    name: *const c_char,
    value: *const c_char,
) -> *mut vaultlet_error {
    guarded(|| {
        // SAFETY: by the contract of this function.
        unsafe {
            let (name, value) = (text(name, "the option's name")?, text(value, "its value")?);
            options_mut(options)?.set(name, value)
        }
    })
}

/// Sets an environment variable for this handle. Once one is set, the environment of the process is not
/// read any more.
///
/// # Safety
/// As for `vaultlet_options_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_options_variable(
    options: *mut vaultlet_options,
    name: *const c_char,
    value: *const c_char,
) -> *mut vaultlet_error {
    guarded(|| {
        // SAFETY: by the contract of this function.
        unsafe {
            let (name, value) = (text(name, "the variable's name")?, text(value, "its value")?);
            let variables = options_mut(options)?.variables.get_or_insert_default();
            variables.push((name.to_owned(), value.to_owned()));
        }
        Ok(())
    })
}

/// Frees options; NULL is ignored.
///
/// # Safety
/// `options` is NULL, or from vaultlet and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_options_free(options: *mut vaultlet_options) {
    // SAFETY: each comes from `vaultlet_options_new`.
    unsafe { free(options) };
}

/// # Safety
/// `options` is NULL or from vaultlet.
unsafe fn options_mut<'a>(
    options: *mut vaultlet_options,
) -> Result<&'a mut vaultlet_options, Error> {
    // SAFETY: by the contract of this function.
    unsafe { options.as_mut() }
        .ok_or_else(|| usage("setting an option: the options are NULL".into(), "make them first"))
}
