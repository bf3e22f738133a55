//! Keys sign inside the host, from every file format that `openssl` writes, and `openssl` verifies the
//! signatures.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::process::Command;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use tempfile::TempDir;
use vaultlet_host::Vaultlet;
use vaultlet_tests::prober::Prober;

const PASSWORD: &str = "password of keys: \u{e9}";
const MESSAGE: &str = "eyJhbGciOiJQUzI1NiJ9.e30";

/// A key and its certificate chain (leaf, intermediate, root), made by `openssl`.
struct Keys {
    folder: TempDir,
}

impl Keys {
    fn new() -> Self {
        let keys = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["root", "middle", "leaf"] {
            keys.openssl(&["genpkey", "-algorithm", "RSA", "-out", name, "-quiet"]);
        }
        let request = |name: &str, more: &[&str]| {
            let subject = format!("/CN={name} of keys");
            let certificate = format!("{name}.crt");
            let mut arguments = vec!["req", "-x509", "-key", name, "-subj", &subject];
            arguments.extend(["-out", &certificate, "-days", "1"]);
            arguments.extend(more);
            keys.openssl(&arguments);
        };
        request("root", &[]);
        request("middle", &["-CA", "root.crt", "-CAkey", "root"]);
        request("leaf", &["-CA", "middle.crt", "-CAkey", "middle"]);
        keys.openssl(&["pkey", "-in", "leaf", "-pubout", "-out", "leaf.pub"]);
        keys
    }

    fn openssl(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("openssl");
        command.args(arguments).current_dir(&self.folder).env("PASSWORD", PASSWORD);
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {errors}");
        output.stdout
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The description of a key: the digests of its own certificate, and the certificate chain.
    fn description(&self, certificates: &str) -> String {
        let own = self.openssl(&["x509", "-in", "leaf.crt", "-outform", "DER"]);
        let of = |algorithm| Base64UrlUnpadded::encode_string(digest(algorithm, &own).as_ref());
        let (sha1, sha256) = (of(&SHA1_FOR_LEGACY_USE_ONLY), of(&SHA256));
        format!("200 vaultlet-sha1={sha1} vaultlet-sha256={sha256}\n{certificates}")
    }

    /// Writes a PEM file: the certificates first and in the wrong order, then the key.
    fn pem(&self, name: &str, key: &[u8]) -> String {
        let mut file = ["root.crt", "leaf.crt", "middle.crt"].map(|c| self.text(c)).concat();
        file.push_str(&String::from_utf8_lossy(key));
        fs::write(self.path(name), file).unwrap();
        self.path(name)
    }

    fn pkcs12(&self, name: &str, more: &[&str]) -> String {
        fs::write(self.path("chain"), ["root.crt", "middle.crt"].map(|c| self.text(c)).concat())
            .unwrap();
        let mut arguments = vec!["pkcs12", "-export", "-inkey", "leaf", "-in", "leaf.crt"];
        arguments.extend(["-certfile", "chain", "-name", "the key", "-out", name]);
        arguments.extend(more);
        self.openssl(&arguments);
        self.path(name)
    }

    /// Signs with each file by both algorithms and verifies with `openssl`; then checks the errors of
    /// a wrong and of a missing password.
    fn check(&self, files: &[(String, Option<&str>)]) {
        let mut plan = String::new();
        let variables = [("PROBER_PASSWORD", PASSWORD), ("EMPTY", ""), ("WRONG", "wrong")];
        for (number, (file, variable)) in files.iter().enumerate() {
            let variable = variable.unwrap_or("EMPTY");
            for (name, variable) in [("key", variable), ("wrong", "WRONG"), ("unset", "UNSET")] {
                plan.push_str(&format!("key {name}{number} {file} {variable}\n"));
            }
        }
        let prober = Prober::open(&plan, &variables, Vaultlet::builder());
        let at = |name: &str, number| format!("http://keys.vaultlet.internal/{name}{number}");
        let chain = ["leaf.crt", "middle.crt", "root.crt"].map(|c| self.text(c)).concat();
        fs::write(self.path("message"), MESSAGE).unwrap();
        let pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
        for (number, (file, variable)) in files.iter().enumerate() {
            let result = prober.broker(&format!("get={}", at("key", number)));
            assert_eq!(result, self.description(&chain), "{file}");
            for (algorithm, options) in [("PS256", &pss[..]), ("RS256", &[])] {
                let address = format!("{}?algorithm={algorithm}", at("key", number));
                let signed = prober.broker(&format!("post={address}|{MESSAGE}"));
                fs::write(self.path("signature"), base16(&signed)).unwrap();
                let mut arguments = vec!["dgst", "-sha256", "-verify", "leaf.pub"];
                arguments.extend(options);
                arguments.extend(["-signature", "signature", "message"]);
                self.openssl(&arguments);
            }
            if variable.is_none() {
                continue;
            }
            for (name, expected) in [
                ("wrong", "the password in `WRONG` does not open it"),
                ("unset", "it is encrypted, and `UNSET` with its password is not set"),
            ] {
                let result = prober.broker(&format!("get={}", at(name, number)));
                assert_eq!(result, format!("422\n{file}: {expected}"));
                let address = format!("{}?algorithm=PS256", at(name, number));
                assert_eq!(prober.broker(&format!("post={address}|x")), result);
            }
        }
    }
}

fn base16(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|p| u8::from_str_radix(str::from_utf8(p).unwrap(), 16).unwrap()).collect()
}

#[test]
fn a_key_signs_from_every_form_of_pem() {
    const SECRET: Option<&str> = Some("PROBER_PASSWORD");
    let keys = Keys::new();
    let plain = keys.openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", "leaf"]);
    let traditional = keys.openssl(&["rsa", "-traditional", "-in", "leaf"]);
    let mut files =
        vec![(keys.pem("pkcs8.pem", &plain), None), (keys.pem("pkcs1.pem", &traditional), None)];
    // Line ends of Windows, and text around the PEM blocks, as people paste it.
    let crlf = keys.text("pkcs8.pem").replace('\n', "\r\n");
    fs::write(keys.path("crlf.pem"), format!("Bag Attributes\r\n  x: \u{e9}\r\n{crlf}")).unwrap();
    files.push((keys.path("crlf.pem"), None));
    let text = keys.text("pkcs8.pem");
    let key = keys.text("leaf");
    let certificates = ["leaf.crt", "middle.crt", "root.crt"].map(|name| keys.text(name)).concat();
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let joined = text.replace("-----\n-----", "----------");
    assert!(joined.contains("-----END CERTIFICATE----------BEGIN PRIVATE KEY-----"));
    for (name, form) in [
        ("joined", joined.clone()),
        ("mark", format!("\u{feff}{text}")),
        ("mark-joined", format!("\u{feff}{joined}")),
        ("key-first", format!("{key}{certificates}")),
        ("key-first-joined", format!("{}{certificates}", key.trim_end())),
        ("no-final-newline", text.trim_end().to_owned()),
        ("indented", text.replace('\n', "\n  \t")),
        ("one-line", text.replace('\n', " ")),
        ("no-line-ends", text.replace('\n', "")),
        ("parameters", format!("{parameters}{text}")),
        ("text-between", text.replace("-----BEGIN", "# x: y\nsubject=CN = z\n-----BEGIN")),
        ("old-label", text.replace(" CERTIFICATE", " X509 CERTIFICATE")),
        ("carriage-returns", text.replace('\n', "\r\r\n")),
    ] {
        let file = keys.path(&format!("{name}.form.pem"));
        fs::write(&file, form).unwrap();
        files.push((file, None));
    }
    for (number, scheme) in [
        "-v2 aes-256-cbc -v2prf hmacWithSHA256",
        "-v2 aes-128-cbc -v2prf hmacWithSHA1",
        "-v2 aes-256-cbc -v2prf hmacWithSHA512",
        "-v2 des3 -v2prf hmacWithSHA256",
        "-v2 aes-256-cbc -scrypt",
        "-v1 PBE-SHA1-3DES",
    ]
    .into_iter()
    .enumerate()
    {
        let mut arguments = vec!["pkcs8", "-topk8", "-in", "leaf", "-passout", "env:PASSWORD"];
        arguments.extend(scheme.split(' '));
        let file = keys.pem(&format!("encrypted{number}.pem"), &keys.openssl(&arguments));
        files.push((file, SECRET));
    }
    for cipher in ["-aes128", "-aes192", "-aes256", "-des3"] {
        let arguments = ["rsa", "-traditional", "-in", "leaf", cipher, "-passout", "env:PASSWORD"];
        files.push((
            keys.pem(&format!("traditional{cipher}.pem"), &keys.openssl(&arguments)),
            SECRET,
        ));
    }
    keys.check(&files);
}

#[test]
fn a_key_signs_from_every_form_of_pkcs12() {
    let keys = Keys::new();
    let mut files = Vec::new();
    for (number, (variable, form)) in [
        (Some("PROBER_PASSWORD"), ""),
        (Some("PROBER_PASSWORD"), "-legacy"),
        (Some("PROBER_PASSWORD"), "-legacy -descert"),
        (Some("PROBER_PASSWORD"), "-macalg sha1 -keypbe AES-128-CBC -certpbe AES-128-CBC"),
        (Some("PROBER_PASSWORD"), "-macalg sha512"),
        (Some("PROBER_PASSWORD"), "-keypbe NONE -certpbe NONE"),
        (None, ""),
        (None, "-legacy"),
        (None, "-keypbe NONE -certpbe NONE -nomac"),
    ]
    .into_iter()
    .enumerate()
    {
        let password = if variable.is_some() { "env:PASSWORD" } else { "pass:" };
        let mut arguments = vec!["-passout", password];
        arguments.extend(form.split(' ').filter(|part| !part.is_empty()));
        files.push((keys.pkcs12(&format!("{number}.pfx"), &arguments), variable));
    }
    keys.check(&files);
}

#[test]
fn a_key_file_that_cannot_sign_is_explained() {
    let keys = Keys::new();
    let key = keys.text("leaf");
    let write = |name: &str, text: &str| {
        fs::write(keys.path(name), text).unwrap();
        keys.path(name)
    };
    let own = keys.text("leaf.crt");
    let small = keys.openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    let curve = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let curve = String::from_utf8(keys.openssl(&curve)).unwrap();
    let small = String::from_utf8(small).unwrap();
    let hyphens = format!("line {}: a BEGIN or an END line is not complete", key.lines().count());
    let cut_key =
        format!("line {}: the section that begins here has no END line", own.lines().count() + 1);
    let refused = [
        ("no-key.pem", own.clone(), "there is no private key in it"),
        ("no-certificate.pem", key.clone(), "there is no certificate in it"),
        (
            "foreign.pem",
            format!("{key}{}", keys.text("root.crt")),
            "none of its certificates belongs to its private key",
        ),
        ("curve.pem", format!("{curve}{own}"), "its private key is not RSA"),
        ("small.pem", format!("{small}{own}"), "its private key has not 2,048 to 4,096 bits"),
        ("empty.pem", String::new(), "it is empty"),
        ("text.pem", "hello".into(), "it is neither PEM nor PKCS#12"),
        (
            "sequence.pfx",
            "0123".into(),
            "it is neither PEM nor PKCS#12 in DER: a certificate or a key alone in DER is not enough",
        ),
        (
            "cut.pem",
            key.split_at(key.len() - 40).0.to_owned(),
            "line 1: the section that begins here has no END line",
        ),
        ("cut-key.pem", format!("{own}{}", key.split_at(key.len() - 40).0), cut_key.as_str()),
        ("hyphens.pem", format!("-{}{own}", key.trim_start_matches("--")), hyphens.as_str()),
        (
            "no-base64.pem",
            format!("{}{own}", key.replace("KEY-----\nM", "KEY-----\n?")),
            "line 1: the section that begins here is not base64",
        ),
        ("long.pem", "x".repeat((64 << 10) + 1), "it is longer than 65536 bytes"),
    ];
    let plan =
        refused.each_ref().map(|(name, text, _)| format!("key {name} {}", write(name, text)));
    let prober = Prober::new(&plan.join("\n"));
    for (name, _, expected) in refused {
        let result = prober.broker(&format!("get=http://keys.vaultlet.internal/{name}"));
        assert_eq!(result, format!("422\n{}: {expected}", keys.path(name)));
    }
    // The file is read for each request, so a repaired one works at once.
    let file = write("mended.pem", "");
    let prober = Prober::new(&format!("key client {file}"));
    let ask = || prober.broker("get=http://keys.vaultlet.internal/client");
    assert!(ask().starts_with("422"));
    write("mended.pem", &format!("{key}{own}"));
    assert_eq!(ask(), keys.description(&own));
    for (what, status) in [
        ("post=http://keys.vaultlet.internal/client?algorithm=none|x", "400"),
        ("post=http://keys.vaultlet.internal/client|x", "405"),
        ("get=http://keys.vaultlet.internal/client?algorithm=PS256", "405"),
    ] {
        assert!(prober.broker(what).starts_with(status), "{what}");
    }
}
