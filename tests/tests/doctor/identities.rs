//! Identities that are missing, in conflict, incomplete, refused, or not allowed.

use vaultlet_dev::Form;
use vaultlet_tests::server::{Answer, Refusing, Server};

use super::*;

const GUID: &str = "00000000-1111-2222-3333-444444444444";

#[test]
fn an_identity_that_is_missing_or_in_conflict() {
    let local = local();
    let named = |label: &str| Place::job(&local).argument("--identity").argument(label);
    named("environment").expect(
        "none",
        79,
        &[("identity", "fail", "(no-identity)", "give the job an identity")],
    );
    // The remedy is the named source's own.
    let tools = tempfile::tempdir().unwrap();
    for (label, program, says, remedy) in [
        ("azure-cli", "az", "Please run 'az login' to setup account.", "run `az login`"),
        (
            "azure-developer-cli",
            "azd",
            "not logged in, run `azd auth login`",
            "run `azd auth login`",
        ),
    ] {
        let file = tools.path().join(program);
        std::fs::write(
            &file,
            format!("#!/bin/sh\necho \"ERROR: $(cat <<'X'\n{says}\nX\n)\" >&2; exit 1\n"),
        )
        .unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&file, mode).unwrap();
        let path = format!("{}:/usr/bin:/bin", tools.path().display());
        named(label).set("PATH", path).expect(
            label,
            79,
            &[("identity", "fail", "(no-identity)", remedy)],
        );
    }
    named("workload-identity").set("AZURE_CLIENT_ID", GUID).set("AZURE_TENANT_ID", GUID).expect(
        "two of three",
        79,
        &[(
            "identity",
            "fail",
            "`AZURE_FEDERATED_TOKEN_FILE` is not set, though `AZURE_CLIENT_ID`",
            "identity",
        )],
    );
    Place::job(&local)
        .set("AZURE_CLIENT_SECRET", "s3cret-of-app")
        .set("AZURE_CLIENT_ID", GUID)
        .expect(
            "two of another identity",
            0,
            &[("identity", "warn", "environment is set only in part", "set `AZURE_TENANT_ID`")],
        );
    Place::job(&local).set("AZURE_FEDERATED_TOKEN_FILE", "/no/such").expect(
        "in part",
        0,
        &[(
            "identity",
            "warn",
            "workload-identity is set only in part: `AZURE_FEDERATED_TOKEN_FILE` is set, and `AZURE_CLIENT_ID`",
            "set `AZURE_CLIENT_ID` and `AZURE_TENANT_ID`",
        )],
    );
    Place::job(&local).set("VAULTLET_CLIENT_ID", GUID).set("VAULTLET_OBJECT_ID", GUID).expect(
        "two ids",
        78,
        &[("identity", "fail", "(settings-conflict)", "")],
    );
    Place::job(&local).set("VAULTLET_IDENTITY", "mars").expect(
        "an unknown source",
        78,
        &[("identity", "fail", "`VAULTLET_IDENTITY`", "")],
    );
    named("environment")
        .set("AZURE_CLIENT_ID", GUID)
        .set("AZURE_TENANT_ID", GUID)
        .set("AZURE_CLIENT_CERTIFICATE_PATH", "/no/such.pem")
        .expect(
            "no certificate",
            78,
            &[(
                "identity",
                "fail",
                "`AZURE_CLIENT_CERTIFICATE_PATH`: /no/such.pem",
                "correct the file",
            )],
        );
    let application = local.application();
    // One whose file is not there is passed over.
    Place::job(&local)
        .unset(&["MSI_ENDPOINT", "MSI_SECRET"])
        .set("AZURE_CLIENT_ID", application.client_id())
        .set("AZURE_TENANT_ID", application.tenant())
        .set("AZURE_CLIENT_SECRET", application.secret())
        .set("AZURE_FEDERATED_TOKEN_FILE", "/nope")
        .expect("no token file", 0, &[("identity", "ok", "found: environment", "")]);
    Place::job(&local).set("AZURE_PASSWORD", "s3cret-of-user").expect(
        "three are missing",
        0,
        &[(
            "identity",
            "warn",
            "`AZURE_USERNAME` and `AZURE_CLIENT_ID` and `AZURE_TENANT_ID` are not",
            "",
        )],
    );
    Place::job(&local)
        .set("AZURE_CLIENT_ID", application.client_id())
        .set("AZURE_TENANT_ID", application.tenant())
        .set("AZURE_CLIENT_SECRET", application.secret())
        .expect(
            "two identities",
            0,
            &[(
                "identity",
                "warn",
                "environment (client-secret), and managed-identity, too",
                "`--identity managed-identity`",
            )],
        );
}

#[test]
fn an_identity_that_is_refused_or_does_not_answer() {
    let local = local();
    Place::job(&local).set("MSI_SECRET", "wrong-s3cret").expect(
        "refused",
        79,
        &[
            ("identity", "ok", "found: managed-identity (azure-ml), which gives no token", ""),
            ("token", "fail", "(identity-refused)", "check `MSI_SECRET`"),
        ],
    );
    let refusing = Refusing::default();
    Place::job(&local).set("MSI_ENDPOINT", format!("http://127.0.0.1:{}/", refusing.port)).expect(
        "down",
        69,
        &[("token", "fail", "(identity-unreachable)", "MSI_ENDPOINT")],
    );
    let nonsense = Server::plain(|_| Answer::json(200, "<html>"));
    Place::job(&local)
        .set("MSI_ENDPOINT", format!("http://127.0.0.1:{}/", nonsense.port()))
        .expect("nonsense", 69, &[("token", "fail", "(identity-unexpected)", "MSI_ENDPOINT")]);
    // Unsigned, for another audience.
    use base64ct::{Base64UrlUnpadded, Encoding as _};
    let claims = Base64UrlUnpadded::encode_string(br#"{"aud":"https://storage.azure.com"}"#);
    let token = format!("eyJh.{claims}.x");
    let other = Server::plain(move |_| {
        Answer::json(200, format!(r#"{{"access_token":"{token}","expires_on":"4102444800"}}"#))
    });
    let place = Place::without_reference(&local);
    place.set("MSI_ENDPOINT", format!("http://127.0.0.1:{}/", other.port())).expect(
        "another audience",
        0,
        &[
            ("token", "warn", "for https://storage.azure.com", "identity endpoint"),
            ("references", "warn", "", ""),
        ],
    );
}

#[test]
fn an_identity_without_the_right_to_get() {
    let local = Local::builder()
        .seed("db-password", VALUE)
        .seed("open", VALUE)
        .grant("managed:none:db-password".parse().unwrap())
        .start()
        .unwrap();
    Place::job(&local).argument("akv://job/open").expect(
        "forbidden",
        77,
        &[
            ("access", "fail", "akv://job.vault.azure.net/db-password: ", "Key Vault Secrets User"),
            ("access", "fail", "(vault-forbidden)", "its object id is "),
            ("access", "ok", "akv://job.vault.azure.net/open: ", ""),
            ("secret", "ok", "akv://job.vault.azure.net/open: enabled", ""),
        ],
    );
}

#[test]
fn other_forms_of_identity() {
    for (form, found) in [
        (Form::AppService, "managed-identity (app-service)"),
        (Form::WorkloadIdentity, "workload-identity"),
        (Form::ClientSecret, "environment (client-secret)"),
    ] {
        let local =
            Local::builder().seed("db-password", VALUE).identity_form(form).start().unwrap();
        Place::job(&local).expect(
            "a form",
            0,
            &[("identity", "ok", &format!("found: {found}"), "")],
        );
    }
}
