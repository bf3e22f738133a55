//! A client of a lent endpoint, and a program that lends.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vaultlet_tests::client::get;
use vaultlet_tests::vaultlet;

use super::ASK;

/// How a child process finds the endpoint.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
    pub(crate) headers: String,
}

impl Client {
    pub(crate) fn new(variables: &BTreeMap<String, String>) -> Self {
        let endpoint = variables["IDENTITY_ENDPOINT"].strip_prefix("http://").unwrap();
        let (address, _) = endpoint.split_once('/').unwrap();
        let headers = format!("x-identity-header: {}\r\n", variables["IDENTITY_HEADER"]);
        Self { address: address.into(), headers }
    }

    pub(crate) fn ask(&self, query: &str, more: &str) -> (u16, String) {
        let headers = format!("{}{more}", self.headers);
        let response = get(&self.address, &format!("/msi/token?{query}"), &headers);
        (response.status, response.body)
    }

    /// A connection that is kept, as SDKs keep theirs.
    pub(crate) fn connect(&self) -> Kept<'_> {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Kept { client: self, stream: BufReader::new(stream) }
    }
}

pub(crate) struct Kept<'a> {
    client: &'a Client,
    pub(crate) stream: BufReader<TcpStream>,
}

impl Kept<'_> {
    /// How long the token took.
    pub(crate) fn token(&mut self) -> Duration {
        let asked = Instant::now();
        let Client { address, headers } = self.client;
        let text = format!("GET /msi/token?{ASK} HTTP/1.1\r\nhost: {address}\r\n{headers}\r\n");
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        self.stream.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line:?}");
        while line != "\r\n" {
            line.clear();
            assert_ne!(self.stream.read_line(&mut line).unwrap(), 0);
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        asked.elapsed()
    }
}

/// A program that lends, with few file descriptors.
pub(crate) struct Lender {
    child: Child,
    pub(crate) client: Client,
}

impl Lender {
    pub(crate) fn start(
        descriptors: usize,
        environment: &[(String, String)],
        arguments: &[&str],
    ) -> Self {
        let script = format!("ulimit -S -n {descriptors}; exec \"$@\"");
        let mut command = Command::new("sh");
        command
            .args(["-c", &script, "sh"])
            .arg(vaultlet())
            .args(["identity", "serve", "-o", "json"]);
        command.args(arguments).env_clear().envs(environment.iter().cloned());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        let client = Client::new(&serde_json::from_value(json["env"].clone()).unwrap());
        Self { child, client }
    }
}

impl Drop for Lender {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
