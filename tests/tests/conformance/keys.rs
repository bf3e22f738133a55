//! A key and its certificate, made by `openssl` once per test run.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use tempfile::TempDir;

/// The password of the encrypted files.
pub(crate) const PASSWORD: &str = "key-passw0rd";

/// The `openssl` commands; the later ones read the files of the first.
const COMMANDS: [&str; 5] = [
    "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 -subj /CN=vaultlet -sha256",
    "x509 -in certificate.pem -outform DER -out certificate.der",
    "rsa -in key.pem -RSAPublicKey_out -outform DER -out public.der",
    "pkcs8 -topk8 -in key.pem -passout pass:key-passw0rd -out encrypted.pem",
    "pkcs12 -export -in certificate.pem -inkey key.pem -passout pass:key-passw0rd -out client.pfx",
];

/// The files with the key and its certificate.
pub(crate) struct Keys {
    folder: TempDir,
}

impl Keys {
    /// The keys of this run, made on first use.
    pub(crate) fn get() -> &'static Self {
        static KEYS: OnceLock<Keys> = OnceLock::new();
        KEYS.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            for arguments in COMMANDS {
                let mut openssl = Command::new("openssl");
                let made = openssl.args(arguments.split(' ')).current_dir(folder.path()).output();
                let made = made.unwrap_or_else(|error| panic!("openssl: {error}"));
                assert!(made.status.success(), "openssl {arguments}");
            }
            Self { folder }
        })
    }

    /// Copies the key into a folder, in each file format that a key may have.
    pub(crate) fn put(&self, folder: &Path) {
        let [key, encrypted] = ["key.pem", "encrypted.pem"].map(|name| self.text(name));
        let certificate = self.certificate();
        fs::write(folder.join("client.pem"), format!("{key}{certificate}")).unwrap();
        fs::write(folder.join("client-encrypted.pem"), format!("{encrypted}{certificate}"))
            .unwrap();
        fs::write(folder.join("client-without-certificate.pem"), key).unwrap();
        fs::copy(self.folder.path().join("client.pfx"), folder.join("client.pfx")).unwrap();
    }

    /// The certificate in PEM.
    pub(crate) fn certificate(&self) -> String {
        self.text("certificate.pem")
    }

    /// The digests of the certificate as base64url, and the certificate itself as base64.
    pub(crate) fn words(&self) -> [(String, String); 3] {
        let der = self.bytes("certificate.der");
        let encoded =
            |algorithm| Base64UrlUnpadded::encode_string(digest(algorithm, &der).as_ref());
        let words = [
            ("sha1", encoded(&SHA1_FOR_LEGACY_USE_ONLY)),
            ("sha256", encoded(&SHA256)),
            ("certificate", Base64::encode_string(&der)),
        ];
        words.map(|(word, text)| (word.to_owned(), text))
    }

    /// Whether the signature of a text is valid.
    pub(crate) fn has_signed(&self, algorithm: &str, text: &str, signature: &[u8]) -> bool {
        let algorithm = match algorithm {
            "PS256" => &RSA_PSS_2048_8192_SHA256,
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            _ => return false,
        };
        let key = UnparsedPublicKey::new(algorithm, self.bytes("public.der"));
        key.verify(text.as_bytes(), signature).is_ok()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).unwrap()
    }
}
