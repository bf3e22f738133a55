//! What a test does in a vault of the local Azure while a program runs.

use vaultlet_dev::Local;

use crate::Run;
use crate::client::{Response, send};

/// Somebody who may write to the first vault of a local Azure.
pub struct Writer {
    authority: String,
    token: String,
}

impl Writer {
    /// The job's own identity, which is asked for one token.
    pub fn new(local: &Local) -> Self {
        // Without TLS a vault is its own resource.
        let vault = local.vaults().next().map(|(_, vault)| vault.http()).unwrap_or_default();
        let run = Run::vaultlet(["token", "--reveal", "--resource", vault]);
        let token = run.environment(local.environment().iter().cloned()).end();
        assert_eq!(token.code, 0, "{}", token.stderr);
        let authority = vault.strip_prefix("http://").unwrap_or_default().to_owned();
        Self { authority, token: token.stdout.trim().to_owned() }
    }

    /// Sets a secret, which has a new version then.
    pub fn set(&self, name: &str, value: &str) {
        self.put(name, &format!(r#"{{"value":"{value}"}}"#));
    }

    /// Sets a secret that expires at a time, in Unix seconds.
    pub fn set_until(&self, name: &str, value: &str, expires: u64) {
        self.put(name, &format!(r#"{{"value":"{value}","attributes":{{"exp":{expires}}}}}"#));
    }

    fn put(&self, name: &str, body: &str) {
        let Self { authority, token } = self;
        let Response { status, body, .. } = send(
            authority,
            &format!(
                "PUT /secrets/{name}?api-version=2025-07-01 HTTP/1.1\r\nhost: {authority}\r\n\
                 authorization: Bearer {token}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            ),
        );
        assert_eq!(status, 200, "{name}: {body}");
    }
}
