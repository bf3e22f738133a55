//! Plugins: components of other people that read what they are granted.

use std::ffi::{CString, c_char};
use std::slice;
use std::time::Duration;

use vaultlet_host::{Error, Kind, Plugin, PluginBuilder, wave_text};

use crate::call::{said, vaultlet_call};
use crate::error::vaultlet_error;
use crate::handle::{of, vaultlet_handle};
use crate::run::{answered, guarded, wait};
use crate::text::{text, usage};

/// What a plugin may read and use. One thread at a time may use it.
pub struct vaultlet_plugin_options {
    grants: Vec<String>,
    lists: Vec<String>,
    name: Option<String>,
    memory: Option<usize>,
    timeout: Option<Duration>,
    concurrency: Option<usize>,
}

/// A plugin that was opened. Every thread may call it at any time; each call runs in an instance of its
/// own.
pub struct vaultlet_plugin {
    inner: Plugin,
}

/// Options of a plugin that may read nothing yet.
#[unsafe(no_mangle)]
pub extern "C" fn vaultlet_plugin_options_new() -> *mut vaultlet_plugin_options {
    Box::into_raw(Box::new(vaultlet_plugin_options {
        grants: Vec::new(),
        lists: Vec::new(),
        name: None,
        memory: None,
        timeout: None,
        concurrency: None,
    }))
}

/// Lets the plugin read a secret; may be repeated. Without a version it may read each version, without
/// a JSON pointer the whole and each member.
///
/// # Safety
/// The pointers are NULL or as they should be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_options_grant(
    options: *mut vaultlet_plugin_options,
    reference: *const c_char,
) -> *mut vaultlet_error {
    guarded(|| {
        // SAFETY: as the caller says.
        let (options, reference) = unsafe { (given(options)?, text(reference, "the reference")?) };
        options.grants.push(reference.to_owned());
        Ok(())
    })
}

/// Lets the plugin list the secrets of a vault and their versions, without values; may be repeated.
///
/// # Safety
/// The pointers are NULL or as they should be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_options_grant_list(
    options: *mut vaultlet_plugin_options,
    vault: *const c_char,
) -> *mut vaultlet_error {
    guarded(|| {
        // SAFETY: as the caller says.
        let (options, vault) = unsafe { (given(options)?, text(vault, "the vault")?) };
        options.lists.push(vault.to_owned());
        Ok(())
    })
}

/// Sets an option: `name` (what it is called in the log), `memory` (bytes of one call, 64 MiB unless
/// set), `timeout` (seconds of one call, 30 unless set), `concurrency` (calls at once, 4 unless set).
///
/// # Safety
/// The pointers are NULL or as they should be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_options_set(
    options: *mut vaultlet_plugin_options,
    name: *const c_char,
    value: *const c_char,
) -> *mut vaultlet_error {
    guarded(|| {
        // SAFETY: as the caller says.
        let (options, name, value) =
            unsafe { (given(options)?, text(name, "the name")?, text(value, "the value")?) };
        options.set(name, value)
    })
}

/// Frees options; NULL is nothing.
///
/// # Safety
/// It is NULL or from vaultlet, and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_options_free(options: *mut vaultlet_plugin_options) {
    if !options.is_null() {
        // SAFETY: each comes from `vaultlet_plugin_options_new`.
        drop(unsafe { Box::from_raw(options) });
    }
}

/// Opens a plugin: compiles `len` bytes of WebAssembly, a component that imports
/// `vaultlet:keyvault/secrets`, and looks at what it imports. It asks with the handle's settings and
/// identity, also after the handle is closed. Milliseconds for a small one, seconds for one with an
/// interpreter in it. No network. `options` may be NULL and stays the caller's.
///
/// # Safety
/// The pointers are NULL or as they should be; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_open(
    handle: *const vaultlet_handle,
    wasm: *const u8,
    len: usize,
    options: *const vaultlet_plugin_options,
    out: *mut *mut vaultlet_plugin,
) -> *mut vaultlet_error {
    let open = || {
        if wasm.is_null() {
            return Err(usage("opening a plugin: its bytes are NULL".into(), "give a component"));
        }
        // SAFETY: as the caller says.
        let (handle, wasm, options) =
            unsafe { (of(handle)?, slice::from_raw_parts(wasm, len), options.as_ref()) };
        let mut builder = handle.plugin(wasm);
        if let Some(options) = options {
            builder = options.applied_to(builder);
        }
        Ok(Box::into_raw(Box::new(vaultlet_plugin { inner: builder.open()? })))
    };
    // SAFETY: as the caller says.
    unsafe { answered(out, open) }
}

/// Calls a function that the plugin exports, `function(arguments)` in WAVE, the text form of component
/// values: `describe("akv://job/db")`, or with its interface
/// `example:plugin/api@0.1.0#describe("…")`. The result is in the same form, `ok("…")`, empty where the
/// function has none; it is freed by `vaultlet_text_free`. It waits. Of `call`, which may be NULL, no
/// identity may be set.
///
/// # Safety
/// The pointers are NULL or as they should be; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_call(
    plugin: *const vaultlet_plugin,
    function: *const c_char,
    call: *const vaultlet_call,
    out: *mut *mut c_char,
) -> *mut vaultlet_error {
    // SAFETY: as the caller says.
    unsafe {
        answered(out, || {
            let Some(plugin) = plugin.as_ref() else {
                return Err(usage("calling a plugin: it is NULL".into(), "open one first"));
            };
            let function = text(function, "the call")?;
            let mut on = plugin.inner.clone();
            let said = said(call)?;
            if said.identity.is_some() {
                let message = "calling a plugin: the call names an identity";
                return Err(usage(message.into(), "it has that of the handle it was opened with"));
            }
            if let Some(timeout) = said.timeout {
                on = on.with_timeout(timeout);
            }
            if let Some(cancel) = said.cancel {
                on = on.with_cancel(cancel);
            }
            Ok(plain(wait(on.call(function))?)?.into_raw())
        })
    }
}

/// A text in quotes, as WAVE writes it, for the arguments of a call; it is freed by
/// `vaultlet_text_free`. NULL for what is NULL or not UTF-8.
///
/// # Safety
/// It is NULL or ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_wave_text(value: *const c_char) -> *mut c_char {
    // SAFETY: as the caller says.
    let quoted = unsafe { text(value, "the text") }.map(wave_text).and_then(plain);
    quoted.map_or(std::ptr::null_mut(), CString::into_raw)
}

/// Closes a plugin; NULL is nothing. No thread may use it any more.
///
/// # Safety
/// It is NULL or from vaultlet, and not closed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_close(plugin: *mut vaultlet_plugin) {
    if !plugin.is_null() {
        // SAFETY: each comes from `vaultlet_plugin_open`.
        drop(unsafe { Box::from_raw(plugin) });
    }
}

impl vaultlet_plugin_options {
    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let malformed = |must: &str| {
            let message = format!("setting the option `{name}`: its value is not {must}");
            Error::new(Kind::Configuration, "setting-malformed", message, "correct it")
        };
        match name {
            "name" => self.name = Some(value.to_owned()),
            "memory" => match value.parse() {
                Ok(bytes @ 1..) => self.memory = Some(bytes),
                _ => return Err(malformed("a number of bytes")),
            },
            "timeout" => match value.parse() {
                Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => {
                    self.timeout = Some(Duration::from_secs_f64(seconds));
                }
                _ => return Err(malformed("a number of seconds above 0, at most 86400")),
            },
            "concurrency" => match value.parse() {
                Ok(calls @ 1..=64) => self.concurrency = Some(calls),
                _ => return Err(malformed("a number from 1 to 64")),
            },
            _ => {
                let message =
                    format!("setting the option `{}`: there is none", name.escape_debug());
                return Err(usage(message, "`name`, `memory`, `timeout` or `concurrency`"));
            }
        }
        Ok(())
    }

    fn applied_to(&self, mut builder: PluginBuilder) -> PluginBuilder {
        for reference in &self.grants {
            builder = builder.grant(reference);
        }
        for vault in &self.lists {
            builder = builder.grant_list(vault);
        }
        if let Some(name) = &self.name {
            builder = builder.name(name);
        }
        if let Some(bytes) = self.memory {
            builder = builder.memory(bytes);
        }
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(timeout);
        }
        match self.concurrency {
            Some(calls) => builder.concurrency(calls),
            None => builder,
        }
    }
}

/// # Safety
/// It is NULL or from vaultlet.
unsafe fn given<'a>(
    options: *mut vaultlet_plugin_options,
) -> Result<&'a mut vaultlet_plugin_options, Error> {
    // SAFETY: as the caller says.
    unsafe { options.as_mut() }
        .ok_or_else(|| usage("setting an option: the options are NULL".into(), "make some first"))
}

/// A text of a plugin's may hold a NUL, which WAVE writes as it is.
fn plain(text: String) -> Result<CString, Error> {
    CString::new(text.replace('\0', "\\u{0}")).map_err(|_| {
        let message = "calling a plugin: its result is no text";
        Error::new(Kind::Internal, "internal", message, "report this with the message")
    })
}
