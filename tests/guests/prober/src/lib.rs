//! A component in the guest's place that does what the guest's role must not: asked for a secret,
//! it sends a request wherever the reference says, and tells what became of it. `trap` and `spin`
//! instead of a URL are what they say; `plan:` and `broker:` before it ask from those roles.
//!
//! Without `std`, whose imports no role is given.
#![no_std]

extern crate alloc;

use core::alloc::Layout;

use alloc::{format, string::String, vec::Vec};

wit_bindgen::generate!({ path: "../../../wit", world: "provider", generate_all });

use exports::vaultlet::keyvault::credentials::{self, TokenProperties, TokenRequest};
use exports::vaultlet::keyvault::plan::{self, Authority, Purpose, Requirements, Resolved, Trust};
use exports::vaultlet::keyvault::secrets::{self, Properties, UserAssigned};
use exports::vaultlet::keyvault::simple;
use exports::vaultlet::keyvault::types::{Error, ErrorKind};
use exports::wasi::cli::run;
use exports::wasi::http::incoming_handler::{self, IncomingRequest, ResponseOutparam};
use wasi::http::outgoing_handler;
use wasi::http::types::{
    Fields, IncomingResponse, OutgoingBody, OutgoingRequest, OutgoingResponse, Scheme,
};

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// How a host gets memory for what it passes in; the C library's would be another allocator.
///
/// # Safety
/// As the canonical ABI says: the old block, if there is one, came from here with that size.
#[unsafe(export_name = "cabi_realloc")]
unsafe extern "C" fn cabi_realloc(old: *mut u8, was: usize, align: usize, size: usize) -> *mut u8 {
    // SAFETY: no size is 0 where it must not be, and alignments are powers of two, as the caller
    // guarantees.
    unsafe {
        let layout = |size| Layout::from_size_align_unchecked(size, align);
        match (was, size) {
            (0, 0) => core::ptr::without_provenance_mut(align),
            (0, _) => alloc::alloc::alloc(layout(size)),
            _ => alloc::alloc::realloc(old, layout(was), size),
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

struct Prober;
struct NoSecret;
struct NoToken;

fn told(message: String) -> Error {
    Error {
        kind: ErrorKind::Internal,
        id: "probed".into(),
        message,
        help: String::new(),
        status: None,
        code: None,
        request_id: None,
        retry_after_ms: None,
        attempts: Vec::new(),
    }
}

impl plan::Guest for Prober {
    /// `HOST:PORT URL`: the vault that is planned, and where the probe goes.
    fn resolve(reference: String, _: Vec<(String, String)>) -> Result<Resolved, Error> {
        let (planned, _) = reference.split_once(' ').ok_or_else(|| told("no space".into()))?;
        let (host, port) = planned.rsplit_once(':').ok_or_else(|| told("no port".into()))?;
        let port = port.parse().map_err(|_| told("no port".into()))?;
        if let Some((_, url)) = reference.split_once(" plan:") {
            return Err(told(outcome(url)));
        }
        let authority =
            Authority { host: host.into(), port, trust: Trust::None, purpose: Purpose::Vault };
        Ok(Resolved { reference, authority, name: "probe".into(), version: None })
    }

    fn needs(_: Vec<(String, String)>, _: Vec<(String, String)>) -> Result<Requirements, Error> {
        Ok(Requirements {
            variables: Vec::new(),
            authorities: Vec::new(),
            files: Vec::new(),
            keys: Vec::new(),
            programs: Vec::new(),
            tells: false,
        })
    }

    fn lent(_: String, _: String) -> Vec<(String, String)> {
        Vec::new()
    }
}

impl secrets::Guest for Prober {
    type Secret = NoSecret;

    fn get(reference: String, _: Option<UserAssigned>) -> Result<secrets::Secret, Error> {
        let url = reference.split_once(' ').map(|(_, url)| url).unwrap_or_default();
        // A guest that goes wrong, for the tests of what that does to others.
        if url == "trap" {
            core::arch::wasm32::unreachable();
        }
        if url == "spin" {
            loop {
                core::hint::spin_loop();
            }
        }
        Err(told(match url.strip_prefix("broker:") {
            Some(url) => {
                let asked = format!("http://identity.vaultlet.internal/probe?{url}");
                send(&asked).and_then(text).unwrap_or_else(|what| what)
            }
            None => outcome(url),
        }))
    }
}

fn outcome(url: &str) -> String {
    match send(url) {
        Ok(response) => format!("answered {}", response.status()),
        Err(what) => what,
    }
}

fn text(response: IncomingResponse) -> Result<String, String> {
    let body = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no stream")?;
    let bytes = stream.blocking_read(4096).map_err(|e| format!("{e:?}"))?;
    String::from_utf8(bytes).map_err(|_| "no text".into())
}

fn send(url: &str) -> Result<IncomingResponse, String> {
    let (scheme, rest) = url.split_once("://").ok_or("no URL")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = OutgoingRequest::new(Fields::new());
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "authority")?;
    request.set_path_with_query(Some(&format!("/{path}"))).map_err(|()| "path")?;
    let future = outgoing_handler::handle(request, None).map_err(|e| format!("{e:?}"))?;
    future.subscribe().block();
    let response = future.get().ok_or("not ready")?.map_err(|()| "taken")?;
    response.map_err(|e| format!("{e:?}"))
}

impl simple::Guest for Prober {
    fn get_secret(_: String) -> Result<String, Error> {
        Err(told("not a prober's work".into()))
    }
}

impl credentials::Guest for Prober {
    type Token = NoToken;

    fn get_token(_: TokenRequest) -> Result<credentials::Token, Error> {
        Err(told("not a prober's work".into()))
    }
}

// No handle of these is ever made.
impl secrets::GuestSecret for NoSecret {
    fn properties(&self) -> Properties {
        unreachable!()
    }
    fn reveal(&self) -> String {
        unreachable!()
    }
}
impl credentials::GuestToken for NoToken {
    fn properties(&self) -> TokenProperties {
        unreachable!()
    }
    fn holder(&self) -> credentials::Holder {
        unreachable!()
    }
    fn reveal(&self) -> String {
        unreachable!()
    }
}

impl run::Guest for Prober {
    fn run() -> Result<(), ()> {
        Err(())
    }
}

impl incoming_handler::Guest for Prober {
    /// Probes from the broker's role.
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let told = outcome(target.split_once('?').map(|(_, url)| url).unwrap_or_default());
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().expect("the first");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("the first");
        stream.blocking_write_and_flush(told.as_bytes()).expect("it is short");
        drop(stream);
        OutgoingBody::finish(body, None).expect("it is whole");
    }
}

export!(Prober);
