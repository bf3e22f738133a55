//! What people are told of a plugin, and what a plugin is told of its host.

use vaultlet_host::Vaultlet;

use crate::job::{DB, Job, read, unruly};

const EVIL: &str = "\u{1b}[31mEVIL\u{1b}]0;pwn\u{7}\u{202e}\u{2066}\u{200b}\u{9b}";

/// Whatever names a file has, and wherever, none of them steers a terminal.
#[test]
fn a_name_in_a_plugin_does_not_steer_a_terminal() {
    let job = Job::new();
    let escaped: String = EVIL.chars().map(|c| format!("\\u{{{:x}}}", u32::from(c))).collect();
    for (at, text) in [
        (
            "an import of a module",
            format!(
                "(component (core module $m (import \"{escaped}\" \"{escaped}\" (func)))
                (core instance (instantiate $m)))"
            ),
        ),
        (
            "an import of an instance",
            format!(
                "(component (core module $m (import \"a\" \"{escaped}\" (func)))
                (core instance $a) (core instance (instantiate $m (with \"a\" (instance $a)))))"
            ),
        ),
        (
            "an export of a module",
            format!("(component (core module $m (export \"{escaped}\" (func 9))))"),
        ),
        (
            "exports that are the same",
            format!(
                "(component (core module $m (func $f) (export \"{escaped}\" (func $f))
                (export \"{escaped}\" (func $f))))"
            ),
        ),
        ("an import of the component", format!("(component (import \"{escaped}\" (func)))")),
        ("an instance of the component", format!("(component (import \"{escaped}\" (instance)))")),
        (
            "an export of the component",
            format!(
            "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m))
                (func (export \"{escaped}\") (canon lift (core func $i \"f\"))))"),
        ),
        ("a field of a type", format!("(component (type (record (field \"{escaped}\" u32))))")),
        ("a case of a type", format!("(component (type (enum \"{escaped}\")))")),
        (
            "an alias",
            format!(
                "(component (core module $m) (core instance $i (instantiate $m))
                (func (canon lift (core func $i \"{escaped}\"))))"
            ),
        ),
    ] {
        let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{at}: {error}"));
        for _ in 0..2 {
            let error = job.vaultlet.plugin(&*wasm).open().map(drop).unwrap_err();
            for line in [error.to_string(), error.message.clone(), error.help] {
                let steers = |c: char| c.is_control() || "\u{202e}\u{2066}\u{200b}".contains(c);
                assert!(!line.contains(steers), "{at}: {line:?}");
            }
            assert_eq!(error.id, "plugin-refused", "{at}: {}", error.message);
        }
    }
}

/// A failure of the host's identity has paths, variables and addresses of the host in it, which are not
/// for a plugin.
#[test]
fn a_plugin_is_told_nothing_of_the_identity() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("private-key.pem").display().to_string();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refusing = format!("http://127.0.0.1:{port}/msi/token");
    let tenant = "11111111-1111-4111-8111-111111111111";
    for (variables, id) in [
        (
            vec![("MSI_ENDPOINT", refusing.as_str()), ("MSI_SECRET", "s3cret")],
            "identity-unreachable",
        ),
        (
            vec![("IDENTITY_ENDPOINT", &refusing), ("IDENTITY_HEADER", "s3cret")],
            "identity-unreachable",
        ),
        (
            vec![
                ("AZURE_TENANT_ID", tenant),
                ("AZURE_CLIENT_ID", tenant),
                ("AZURE_CLIENT_CERTIFICATE_PATH", &key),
                ("VAULTLET_IDENTITY", "environment"),
            ],
            "credential-file",
        ),
        (
            vec![
                ("AZURE_TENANT_ID", tenant),
                ("AZURE_CLIENT_ID", tenant),
                ("AZURE_FEDERATED_TOKEN_FILE", &key),
                ("VAULTLET_IDENTITY", "workload-identity"),
            ],
            "no-identity",
        ),
        (vec![("VAULTLET_IDENTITY", "environment")], "no-identity"),
        (vec![("VAULTLET_IDENTITY", "azureml-obo")], "no-identity"),
        (vec![("MSI_ENDPOINT", "http://[::ffff:9.9.9.9]/x"), ("MSI_SECRET", "s3cret")], ""),
    ] {
        let vaultlet = Vaultlet::builder().variables(variables.iter().copied()).open().unwrap();
        let known = vaultlet.get_blocking(DB).unwrap_err();
        let plugin = vaultlet.plugin(unruly()).grant(DB).open().unwrap();
        let told = plugin.call_blocking(&read(DB)).unwrap();
        assert!(told.contains(&format!("({})", known.id)), "{known}: {}", *told);
        assert!(id.is_empty() || known.id == id, "{known}");
        let names = variables.iter().map(|(name, _)| *name);
        let values = variables.iter().map(|(_, value)| *value);
        let port = port.to_string();
        let private = ["private-key", "127.0.0.1", "9.9.9.9", "AZURE_", "MSI_", port.as_str()];
        for private in names.chain(values).chain(private) {
            assert!(!told.contains(private), "{private}: {}", *told);
        }
    }
}
