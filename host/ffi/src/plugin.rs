//! Plugins: components by third parties, which may read only the secrets that they are granted.

use std::ffi::{CString, c_char};
use std::slice;
use std::time::Duration;

use vaultlet_host::{Error, Kind, Plugin, PluginBuilder, wave_text};

use crate::boxed::free;
use crate::call::{CallOptions, vaultlet_call};
use crate::error::vaultlet_error;
use crate::handle::{handle_of, vaultlet_handle};
use crate::run::{blocking, deliver, guarded};
use crate::text::{text, usage};

/// What a plugin may read and use. Only one thread at a time may use it.
pub struct vaultlet_plugin_options {
    grants: Vec<String>,
    lists: Vec<String>,
    name: Option<String>,
    memory: Option<usize>,
    timeout: Option<Duration>,
    concurrency: Option<usize>,
}

/// An open plugin. Any thread may call it at any time; each call runs in an instance of its own.
pub struct vaultlet_plugin {
    inner: Plugin,
}

/// Makes options that grant nothing to a plugin.
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

/// Lets the plugin read a secret; may be called several times. A reference without a version grants all
/// versions, one without a JSON pointer grants the whole secret and each member of it.
///
/// # Safety
/// Each pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_options_grant(
    options: *mut vaultlet_plugin_options,
    reference: *const c_char,
) -> *mut vaultlet_error {
    guarded(|| {
        // SAFETY: by the contract of this function.
        let (options, reference) =
            unsafe { (options_mut(options)?, text(reference, "the reference")?) };
        options.grants.push(reference.to_owned());
        Ok(())
    })
}

/// Lets the plugin list the secrets of a vault and their versions, without values; may be called
/// several times.
///
/// # Safety
/// Each pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_options_grant_list(
    options: *mut vaultlet_plugin_options,
    vault: *const c_char,
) -> *mut vaultlet_error {
    guarded(|| {
        // SAFETY: by the contract of this function.
        let (options, vault) = unsafe { (options_mut(options)?, text(vault, "the vault")?) };
        options.lists.push(vault.to_owned());
        Ok(())
    })
}

/// Sets an option: `name` (of the plugin in the log), `memory` (limit of one call in bytes, default
/// 64 MiB), `timeout` (of one call in seconds, default 30), `concurrency` (number of concurrent calls,
/// default 4).
///
/// # Safety
/// Each pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_options_set(
    options: *mut vaultlet_plugin_options,
    name: *const c_char,
    value: *const c_char,
) -> *mut vaultlet_error {
    guarded(|| {
        // SAFETY: by the contract of this function.
        let (options, name, value) =
            unsafe { (options_mut(options)?, text(name, "the name")?, text(value, "the value")?) };
        options.set(name, value)
    })
}

/// Frees options; NULL is ignored.
///
/// # Safety
/// `options` is NULL, or from vaultlet and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_options_free(options: *mut vaultlet_plugin_options) {
    // SAFETY: each comes from `vaultlet_plugin_options_new`.
    unsafe { free(options) };
}

/// Opens a plugin: compiles `len` bytes of WebAssembly, a component that imports
/// `vaultlet:keyvault/secrets`, and checks its imports. The plugin reads secrets with the settings and
/// the identity of the handle, also after the handle is closed. Opening takes milliseconds for a small
/// plugin and seconds for one that contains an interpreter, and does not use the network. `options` may
/// be NULL and still belongs to the caller.
///
/// # Safety
/// Each pointer is NULL or valid; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_open(
    handle: *const vaultlet_handle,
    wasm: *const u8,
    len: usize,
    options: *const vaultlet_plugin_options,
    out: *mut *mut vaultlet_plugin,
) -> *mut vaultlet_error {
    // SAFETY: by the contract of this function.
    unsafe { vaultlet_plugin_open_with(handle, wasm, len, options, std::ptr::null(), out) }
}

/// `vaultlet_plugin_open` with a call, whose `timeout_ms` limits how long compiling may take (the default
/// is 60 seconds) and whose `cancel` ends it. Compiling takes place in a child process of at most 2 GiB.
/// `call` may be NULL and must not name an identity.
///
/// # Safety
/// Each pointer is NULL or valid; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_open_with(
    handle: *const vaultlet_handle,
    wasm: *const u8,
    len: usize,
    options: *const vaultlet_plugin_options,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_plugin,
) -> *mut vaultlet_error {
    let open = || {
        if wasm.is_null() {
            return Err(usage("opening a plugin: its bytes are NULL".into(), "give a component"));
        }
        // SAFETY: by the contract of this function.
        let (handle, wasm, options, call) = unsafe {
            let wasm = slice::from_raw_parts(wasm, len);
            (handle_of(handle)?, wasm, options.as_ref(), CallOptions::read(call)?)
        };
        if call.identity.is_some() {
            let message = "opening a plugin: the call names an identity";
            return Err(usage(message.into(), "it has that of the handle it is opened with"));
        }
        let mut builder = handle.plugin(wasm);
        if let Some(options) = options {
            builder = options.applied_to(builder);
        }
        if let Some(timeout) = call.timeout {
            builder = builder.open_timeout(timeout);
        }
        if let Some(cancel) = call.cancel {
            builder = builder.cancel(cancel);
        }
        Ok(Box::into_raw(Box::new(vaultlet_plugin { inner: builder.open()? })))
    };
    // SAFETY: by the contract of this function.
    unsafe { deliver(out, open) }
}

/// Calls a function that the plugin exports, and waits for its result. The call is text in WAVE, the
/// text form of component values: `describe("akv://job/db")`, or with the interface of the function
/// `example:plugin/api@0.1.0#describe("…")`. The result is in the same form, such as `ok("…")`, or empty
/// if the function has none, and is freed by `vaultlet_text_free`. `call` may be NULL and must not name
/// an identity.
///
/// # Safety
/// Each pointer is NULL or valid; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_call(
    plugin: *const vaultlet_plugin,
    function: *const c_char,
    call: *const vaultlet_call,
    out: *mut *mut c_char,
) -> *mut vaultlet_error {
    // SAFETY: by the contract of this function.
    unsafe {
        deliver(out, || {
            let Some(plugin) = plugin.as_ref() else {
                return Err(usage("calling a plugin: it is NULL".into(), "open one first"));
            };
            let function = text(function, "the call")?;
            let mut plugin = plugin.inner.clone();
            let options = CallOptions::read(call)?;
            if options.identity.is_some() {
                let message = "calling a plugin: the call names an identity";
                return Err(usage(message.into(), "it has that of the handle it was opened with"));
            }
            if let Some(timeout) = options.timeout {
                plugin = plugin.with_timeout(timeout);
            }
            if let Some(cancel) = options.cancel {
                plugin = plugin.with_cancel(cancel);
            }
            Ok(c_string(&blocking(|| plugin.call_blocking(function))?)?.into_raw())
        })
    }
}

/// Quotes a string as WAVE does, for the arguments of a call. The result is freed by
/// `vaultlet_text_free`. Returns NULL if `value` is NULL or not UTF-8.
///
/// # Safety
/// `value` is NULL or ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_wave_text(value: *const c_char) -> *mut c_char {
    // SAFETY: by the contract of this function.
    let quoted = unsafe { text(value, "the text") }.map(wave_text).and_then(|text| c_string(&text));
    quoted.map_or(std::ptr::null_mut(), CString::into_raw)
}

/// Closes a plugin; NULL is ignored. No thread may use the plugin any more.
///
/// # Safety
/// `plugin` is NULL, or from vaultlet and not closed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plugin_close(plugin: *mut vaultlet_plugin) {
    // SAFETY: each comes from `vaultlet_plugin_open`.
    unsafe { free(plugin) };
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
/// `options` is NULL or from vaultlet.
unsafe fn options_mut<'a>(
    options: *mut vaultlet_plugin_options,
) -> Result<&'a mut vaultlet_plugin_options, Error> {
    // SAFETY: by the contract of this function.
    unsafe { options.as_mut() }
        .ok_or_else(|| usage("setting an option: the options are NULL".into(), "make some first"))
}

/// Makes a C string of a plugin's text, which has no NUL. It is the only copy, with room for the NUL at
/// its end; `vaultlet_text_free` scrubs it.
fn c_string(text: &str) -> Result<CString, Error> {
    let mut bytes = Vec::with_capacity(text.len() + 1);
    bytes.extend_from_slice(text.as_bytes());
    CString::new(bytes).map_err(|_| {
        let message = "calling a plugin: its result is no text";
        Error::new(Kind::Internal, "internal", message, "report this with the message")
    })
}
