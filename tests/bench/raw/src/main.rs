//! The peer `raw`, the floor: blocking sockets, rustls with ring, one token and one request per secret; no
//! challenge, no retry, no cache, no runtime. It shows what the network and TLS cost.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use bench_measure::{Task, VAULT_HOST, print_report, print_value, threads, warm};
use clap::Parser;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

fn main() -> Result<()> {
    let task = Arguments::parse().task;
    let (calls, different) = match task {
        Task::Cold { name } => return print_value(&Vault::open(trust()?, token()?)?.get(&name)?),
        Task::Conc { callers, calls } => {
            let (trust, token) = (trust()?, token()?);
            let open = || {
                let mut vault = Vault::open(Arc::clone(&trust), token.clone())?;
                Ok(move |name: &str| vault.get(name))
            };
            return print_report(&threads(callers, calls, open)?);
        }
        Task::WarmSame { calls } => (calls, false),
        Task::WarmDiff { calls } => (calls, true),
    };
    let mut vault = None;
    print_report(&warm(calls, different, |name| {
        let vault = match &mut vault {
            Some(vault) => vault,
            // The first call includes the token request and the connection.
            none => none.insert(Vault::open(trust()?, token()?)?),
        };
        vault.get(name)
    })?)
}

struct Vault {
    stream: StreamOwned<ClientConnection, TcpStream>,
    token: String,
    buffer: Vec<u8>,
}

impl Vault {
    fn open(trust: Arc<ClientConfig>, token: String) -> Result<Vault> {
        let tls = ClientConnection::new(trust, ServerName::try_from(VAULT_HOST)?)?;
        let stream = StreamOwned::new(tls, connect((VAULT_HOST, 443))?);
        Ok(Vault { stream, token, buffer: Vec::with_capacity(4096) })
    }

    fn get(&mut self, name: &str) -> Result<String> {
        let request = format!(
            "GET /secrets/{name}?api-version=2025-07-01 HTTP/1.1\r\nHost: {VAULT_HOST}\r\n\
             Authorization: Bearer {}\r\nAccept: application/json\r\n\r\n",
            self.token
        );
        self.stream.write_all(request.as_bytes())?;
        self.stream.flush()?;
        text(body(&mut self.stream, &mut self.buffer)?, "value")
    }
}

fn token() -> Result<String> {
    let endpoint = env::var("MSI_ENDPOINT")?;
    let rest = endpoint.strip_prefix("http://").context("`MSI_ENDPOINT` is not plain http")?;
    let (host, path) = rest.split_once('/').context("`MSI_ENDPOINT` has no path")?;
    let mut stream = connect(host)?;
    let request = format!(
        "GET /{path}?api-version=2017-09-01&resource=https%3A%2F%2Fvault.azure.net HTTP/1.1\r\n\
         Host: {host}\r\nsecret: {}\r\n\r\n",
        env::var("MSI_SECRET")?
    );
    stream.write_all(request.as_bytes())?;
    text(body(&mut stream, &mut Vec::with_capacity(4096))?, "access_token")
}

fn connect(address: impl std::net::ToSocketAddrs) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Mozilla's roots, compiled in, and the benchmark's own root.
fn trust() -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in CertificateDer::pem_slice_iter(&fs::read(env::var("VAULTLET_CA_FILE")?)?) {
        roots.add(root?)?;
    }
    let mut trust = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    trust.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(trust))
}

fn body<'a>(stream: &mut impl Read, buffer: &'a mut Vec<u8>) -> Result<&'a [u8]> {
    buffer.clear();
    let (start, end) = loop {
        read(stream, buffer)?;
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(start) = response.parse(buffer)? else { continue };
        if response.code != Some(200) {
            bail!("status {:?}", response.code);
        }
        let length =
            response.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
        let length = length.context("no content-length")?.value;
        break (start, start + std::str::from_utf8(length)?.trim().parse::<usize>()?);
    };
    while buffer.len() < end {
        read(stream, buffer)?;
    }
    buffer.get(start..end).context("a body of no length")
}

fn read(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Result<()> {
    let mut chunk = [0; 8192];
    let length = stream.read(&mut chunk)?;
    ensure!(length > 0, "the connection was closed");
    buffer.extend(chunk.iter().take(length));
    Ok(())
}

fn text(body: &[u8], member: &str) -> Result<String> {
    let json: serde_json::Value = serde_json::from_slice(body)?;
    let text = json.get(member).and_then(serde_json::Value::as_str);
    Ok(text.with_context(|| format!("no `{member}`"))?.to_owned())
}
