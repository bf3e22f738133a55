//! A component in the guest's place that tries what a role must not do. A call for a secret is a probe:
//! the reference is `HOST:PORT PROBE`, and the error `probed` has the result as its message.
//!
//! A probe is a URL, to which a GET is sent, or one of
//!
//! * `get=URL` (the result is the whole response), `post=URL|BODY` (the response's body in hexadecimal);
//! * `read=PATH`, `write=PATH`, `env=NAME`, `tell=LINE` (a line on stderr);
//! * `trap`, `spin` (an endless loop).
//!
//! `plan:` or `broker:` before a probe runs it in that role instead of the vault's. `kept=A,B,C|` before
//! it makes the broker's result cacheable: A seconds fresh, B while it is renewed, C if renewal fails.
//! The variable `PROBER_PLAN` holds the plan.
//!
//! The prober has no `std`, since no role is granted its imports.
#![no_std]

extern crate alloc;

use core::alloc::Layout;

use alloc::{format, string::String, vec::Vec};

wit_bindgen::generate!({ path: "../../../wit", world: "provider", generate_all });

use exports::vaultlet::keyvault::credentials::{self, TokenProperties, TokenRequest};
use exports::vaultlet::keyvault::plan::{
    self, Server, Certificates, File, Key, PrivateTrust, Program, Purpose, CredentialPlan,
    Resolved, Subject, Trust,
};
use exports::vaultlet::keyvault::render::{self, Format, Part};
use exports::vaultlet::keyvault::secrets::{self, Properties, UserAssigned};
use exports::vaultlet::keyvault::simple;
use exports::vaultlet::keyvault::types::{Error, ErrorKind};
use exports::wasi::cli::run;
use exports::wasi::http::incoming_handler::{self, IncomingRequest, ResponseOutparam};
use wasi::cli::{environment, stderr};
use wasi::filesystem::preopens::get_directories;
use wasi::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use wasi::http::outgoing_handler;
use wasi::http::types::{
    Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, OutgoingResponse, Scheme,
};
use wasi::io::streams::StreamError;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Allocates memory for values that the host passes in. The C library's own function would use another
/// allocator.
///
/// # Safety
/// As the canonical ABI guarantees, the old block, if any, was allocated here with that size.
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

/// The message of an error is one line: a visible character stands for the ends of lines.
fn probed(message: String) -> Error {
    Error {
        kind: ErrorKind::Internal,
        id: "probed".into(),
        message: message.replace('\n', "␊"),
        help: String::new(),
        status: None,
        code: None,
        request_id: None,
        retry_after_ms: None,
        attempts: Vec::new(),
    }
}

impl plan::Guest for Prober {
    /// Splits `HOST:PORT PROBE`: the host and port become the planned vault.
    fn resolve(what: Subject, _: Vec<(String, String)>) -> Result<Resolved, Error> {
        let (Subject::Secret(reference) | Subject::Vault(reference)) = what;
        let (planned, _) = reference.split_once(' ').ok_or_else(|| probed("no space".into()))?;
        let (host, port) = planned.rsplit_once(':').ok_or_else(|| probed("no port".into()))?;
        let port = port.parse().map_err(|_| probed("no port".into()))?;
        if let Some((_, url)) = reference.split_once(" plan:") {
            return Err(probed(outcome(url)));
        }
        let server =
            Server { host: host.into(), port, trust: Trust::None, purpose: Purpose::Vault };
        Ok(Resolved { reference, server, name: Some("probe".into()), version: None })
    }

    fn plan_credentials(
        _: Vec<(String, String)>,
        values: Vec<(String, String)>,
    ) -> Result<CredentialPlan, Error> {
        let mut plan = CredentialPlan {
            variables: ["PROBER_PLAN", "PROBER_PASSWORD"].map(Into::into).into(),
            secrets: Vec::new(),
            servers: Vec::new(),
            files: Vec::new(),
            keys: Vec::new(),
            programs: Vec::new(),
            tells: false,
        };
        let lines = values.iter().find(|(name, _)| name == "PROBER_PLAN");
        for line in lines.map(|(_, plan)| plan.lines()).into_iter().flatten() {
            add(&mut plan, line).ok_or_else(|| probed(format!("malformed plan: {line}")))?;
        }
        Ok(plan)
    }

    fn lent(address: String, secret: String) -> Vec<(String, String)> {
        [("LENT_AT", address), ("LENT_SECRET", secret)].map(|(n, v)| (n.into(), v)).into()
    }

    fn settings() -> Vec<plan::Setting> {
        Vec::new()
    }
}

/// Adds a line to a plan: `file PATH`, `folder PATH ENDING`, `key NAME PATH [VARIABLE]`,
/// `program NAME COMMAND [GROUP…]` (a group's arguments are separated by `~`, and it sets a variable
/// when it has `=`), `authority HOST PORT PURPOSE [pinned SHA1 | private FILE [NAME] | plain]`,
/// `tells`.
fn add(plan: &mut CredentialPlan, line: &str) -> Option<()> {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["file", path] => plan.files.push(File::Path(path.into())),
        ["folder", path, ending] => plan.files.push(File::Folder((path.into(), ending.into()))),
        ["key", name, path, ref variable @ ..] => plan.keys.push(Key {
            name: name.into(),
            path: path.into(),
            password_variable: variable.first().map(|name| (*name).into()),
        }),
        ["program", name, command, ref groups @ ..] => {
            let (variables, arguments): (Vec<&str>, Vec<&str>) =
                groups.iter().partition(|group| group.contains('='));
            let split = |group: &str| group.split('~').map(Into::into).collect();
            let pair = |text: &str| text.split_once('=').map(|(n, v)| (n.into(), v.into()));
            plan.programs.push(Program {
                name: name.into(),
                command: command.into(),
                arguments: arguments.into_iter().map(split).collect(),
                variables: variables.into_iter().filter_map(pair).collect(),
            });
        }
        ["authority", host, port, purpose, ref trust @ ..] => plan.servers.push(Server {
            host: host.into(),
            port: port.parse().ok()?,
            purpose: match purpose {
                "identity" => Purpose::IdentityEndpoint,
                "tokens" => Purpose::TokenAuthority,
                _ => return None,
            },
            trust: match *trust {
                [] => Trust::Roots,
                ["plain"] => Trust::None,
                ["pinned", sha1] => Trust::Pinned(sha1.into()),
                ["private", file, ref name @ ..] => Trust::Private(PrivateTrust {
                    issuers: Certificates::File(file.into()),
                    name: name.first().map(|name| (*name).into()),
                }),
                _ => return None,
            },
        }),
        ["tells"] => plan.tells = true,
        _ => return None,
    }
    Some(())
}

impl secrets::Guest for Prober {
    type Secret = NoSecret;

    fn get(reference: String, _: Option<UserAssigned>) -> Result<secrets::Secret, Error> {
        let url = reference.split_once(' ').map(|(_, url)| url).unwrap_or_default();
        // A faulty guest, for tests that it does not affect other calls.
        if url == "trap" {
            core::arch::wasm32::unreachable();
        }
        if url == "spin" {
            loop {
                core::hint::spin_loop();
            }
        }
        Err(probed(match url.strip_prefix("broker:") {
            Some(url) => {
                let endpoint = format!("http://identity.vaultlet.internal/probe?{url}");
                send(&endpoint).and_then(text).unwrap_or_else(|what| what)
            }
            None => outcome(url),
        }))
    }

    fn list_page(
        _: secrets::Listed,
        _: Option<String>,
        _: Option<UserAssigned>,
    ) -> Result<secrets::Page, Error> {
        Err(probed("the prober does not implement this".into()))
    }
}

fn outcome(what: &str) -> String {
    attempt(what).unwrap_or_else(|what| what)
}

fn attempt(what: &str) -> Result<String, String> {
    match what.split_once('=') {
        Some(("get", url)) => send(url).and_then(whole),
        Some(("post", url)) => post(url),
        Some(("read", path)) => read(path, OpenFlags::empty(), DescriptorFlags::READ),
        Some(("write", path)) => read(path, OpenFlags::CREATE, DescriptorFlags::WRITE),
        Some(("env", name)) => {
            let all = environment::get_environment();
            all.into_iter().find(|(n, _)| n == name).map(|(_, v)| v).ok_or_else(|| "unset".into())
        }
        Some(("tell", line)) => stderr::get_stderr()
            .blocking_write_and_flush(format!("{}\n", line.replace("%1B", "\u{1b}")).as_bytes())
            .map(|()| "heard".into())
            .map_err(|e| format!("{e:?}")),
        _ => send(what).map(|response| format!("answered {}", response.status())),
    }
}

fn read(path: &str, how: OpenFlags, rights: DescriptorFlags) -> Result<String, String> {
    let said = |code: ErrorCode| String::from(code.name());
    let folder = if path.starts_with('/') { "/" } else { "." };
    let (folder, _) =
        get_directories().into_iter().find(|(_, name)| name == folder).ok_or("no folder")?;
    let path = path.strip_prefix('/').unwrap_or(path);
    let file = folder.open_at(PathFlags::SYMLINK_FOLLOW, path, how, rights).map_err(said)?;
    let mut bytes = Vec::new();
    loop {
        let (piece, ended) = file.read(100, bytes.len() as u64).map_err(said)?;
        bytes.extend(piece);
        if ended {
            return String::from_utf8(bytes).map_err(|_| "no text".into());
        }
    }
}

/// The response as text: its status, the headers that begin with `vaultlet-`, and the body.
fn whole(response: IncomingResponse) -> Result<String, String> {
    let mut whole = format!("{}", response.status());
    for (name, value) in response.headers().entries() {
        if name.starts_with("vaultlet-") {
            whole += &format!(" {name}={}", String::from_utf8_lossy(&value));
        }
    }
    Ok(format!("{whole}\n{}", text(response)?))
}

fn post(what: &str) -> Result<String, String> {
    let (url, body) = what.split_once('|').ok_or("no body")?;
    let response = send_with(url, Some(body))?;
    if response.status() != 200 {
        return whole(response);
    }
    Ok(bytes(response)?.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn text(response: IncomingResponse) -> Result<String, String> {
    String::from_utf8(bytes(response)?).map_err(|_| "no text".into())
}

fn bytes(response: IncomingResponse) -> Result<Vec<u8>, String> {
    let body = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no stream")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(4096) {
            Ok(piece) => bytes.extend(piece),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(error) => return Err(format!("{error:?}")),
        }
    }
}

fn send(url: &str) -> Result<IncomingResponse, String> {
    send_with(url, None)
}

fn send_with(url: &str, body: Option<&str>) -> Result<IncomingResponse, String> {
    let (scheme, rest) = url.split_once("://").ok_or("no URL")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = OutgoingRequest::new(Fields::new());
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "authority")?;
    request.set_path_with_query(Some(&format!("/{path}"))).map_err(|()| "path")?;
    let sent = body.map(|_| request.set_method(&Method::Post).and_then(|()| request.body()));
    let sent = sent.transpose().map_err(|()| "body")?;
    let future = outgoing_handler::handle(request, None).map_err(|e| format!("{e:?}"))?;
    if let (Some(sent), Some(body)) = (sent, body) {
        let stream = sent.write().map_err(|()| "no stream")?;
        stream.blocking_write_and_flush(body.as_bytes()).map_err(|e| format!("{e:?}"))?;
        drop(stream);
        OutgoingBody::finish(sent, None).map_err(|e| format!("{e:?}"))?;
    }
    future.subscribe().block();
    let response = future.get().ok_or("not ready")?.map_err(|()| "taken")?;
    response.map_err(|e| format!("{e:?}"))
}

impl simple::Guest for Prober {
    fn get_secret(_: String) -> Result<String, Error> {
        Err(probed("the prober does not implement this".into()))
    }
}

impl credentials::Guest for Prober {
    type Token = NoToken;

    fn get_token(_: TokenRequest) -> Result<credentials::Token, Error> {
        Err(probed("the prober does not implement this".into()))
    }
}

impl render::Guest for Prober {
    fn secrets(
        _: Vec<(String, Properties)>,
        _: Vec<String>,
        _: Part,
        _: Format,
    ) -> Result<String, Error> {
        Err(probed("the prober does not implement this".into()))
    }

    fn listing(
        _: secrets::Listed,
        _: Vec<(String, String)>,
        _: Vec<Properties>,
        _: Part,
        _: Format,
    ) -> Result<String, Error> {
        Err(probed("the prober does not implement this".into()))
    }

    fn token(_: String, _: TokenProperties) -> String {
        String::new()
    }

    fn whoami(_: TokenProperties, _: credentials::Holder, _: Format) -> Result<String, Error> {
        Err(probed("the prober does not implement this".into()))
    }
}

// The prober never creates these resources.
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
    /// Runs a probe in the broker role.
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let what = target.split_once('?').map(|(_, what)| what).unwrap_or_default();
        let kept = what.strip_prefix("kept=").and_then(|kept| kept.split_once('|'));
        let done = attempt(kept.map_or(what, |(_, what)| what));
        let headers = Fields::new();
        if let (Ok(_), Some((lifetime, _))) = (&done, kept) {
            let names = ["max-age", "stale-while-revalidate", "stale-if-error"];
            let parts: Vec<_> =
                names.iter().zip(lifetime.split(',')).map(|(n, v)| format!("{n}={v}")).collect();
            let value = parts.join(", ");
            headers.append("cache-control", value.as_bytes()).expect("a valid header");
        }
        let response = OutgoingResponse::new(headers);
        if done.is_err() && kept.is_some() {
            response.set_status_code(502).expect("a valid status");
        }
        let result = done.unwrap_or_else(|what| what);
        let body = response.body().expect("the first");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("the first");
        for piece in result.as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(piece).expect("at most 4,096 bytes");
        }
        drop(stream);
        OutgoingBody::finish(body, None).expect("it is whole");
    }
}

export!(Prober);
