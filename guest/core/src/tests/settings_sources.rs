//! What a source says of variables that are missing, and what settings allow it.

use super::{
    in_vain::{APP, PIPELINES, WORKLOAD, ask_in_vain},
    *,
};
use crate::settings::Settings;

#[test]
fn a_source_of_several_variables_names_those_that_are_missing() {
    let endpoint = ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/i");
    for (identity, variables, says) in [
        (
            "workload-identity",
            &WORKLOAD[1..],
            "`AZURE_CLIENT_ID` is not set, though `AZURE_TENANT_ID` and `AZURE_FEDERATED_TOKEN_FILE` are",
        ),
        ("workload-identity", &WORKLOAD[..2], "`AZURE_FEDERATED_TOKEN_FILE` is not set, though"),
        ("workload-identity", &[WORKLOAD[0], WORKLOAD[2]], "`AZURE_TENANT_ID` is not set, though"),
        (
            "workload-identity",
            &[],
            "`AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and `AZURE_FEDERATED_TOKEN_FILE` are not set",
        ),
        (
            "workload-identity",
            &[WORKLOAD[1], ("VAULTLET_CLIENT_ID", GUID)],
            "`AZURE_FEDERATED_TOKEN_FILE` is not set, though `AZURE_TENANT_ID` is",
        ),
        (
            "environment",
            &APP[1..],
            "`AZURE_CLIENT_ID` is not set, though `AZURE_TENANT_ID` and `AZURE_CLIENT_SECRET` are",
        ),
        ("environment", &APP[..2], "`AZURE_CLIENT_SECRET` is not set, though"),
        ("environment", &[APP[0], APP[2]], "`AZURE_TENANT_ID` is not set, though"),
        (
            "environment",
            &[APP[0], ("AZURE_CLIENT_CERTIFICATE_PATH", "x")],
            "`AZURE_TENANT_ID` is not set, though `AZURE_CLIENT_ID` and `AZURE_CLIENT_CERTIFICATE_PATH` are",
        ),
        ("environment", &[APP[0], ("AZURE_USERNAME", "x")], "`AZURE_PASSWORD` is not set, though"),
        (
            "environment",
            &[("AZURE_PASSWORD", "x")],
            "`AZURE_CLIENT_ID` and `AZURE_USERNAME` are not set, though `AZURE_PASSWORD` is",
        ),
        ("azure-pipelines", &PIPELINES[1..5], "`SYSTEM_OIDCREQUESTURI` is not set, though"),
        ("azure-pipelines", &PIPELINES[2..], "`AZURESUBSCRIPTION_CLIENT_ID` is not set, though"),
        (
            "on-behalf-of",
            &[("VAULTLET_USER_ASSERTION_FILE", "x"), APP[0], APP[2]],
            "`AZURE_TENANT_ID` is not set, though",
        ),
        (
            "managed-identity",
            &[endpoint],
            "`IDENTITY_HEADER` is not set, though `IDENTITY_ENDPOINT` is",
        ),
        (
            "managed-identity",
            &[("IDENTITY_HEADER", "x")],
            "`IDENTITY_ENDPOINT` is not set, though `IDENTITY_HEADER` is",
        ),
        (
            "managed-identity",
            &[endpoint, ("IDENTITY_SERVER_THUMBPRINT", "x")],
            "`IDENTITY_HEADER` is not set, though `IDENTITY_ENDPOINT` is",
        ),
        (
            "managed-identity",
            &[("MSI_SECRET", "x")],
            "`MSI_ENDPOINT` is not set, though `MSI_SECRET` is",
        ),
        (
            "managed-identity",
            &[("IMDS_ENDPOINT", "x")],
            "`IDENTITY_ENDPOINT` is not set, though `IMDS_ENDPOINT` is",
        ),
        ("managed-identity", &[("MSI_ENDPOINT", MSI)], "`MSI_SECRET` is not set"),
    ] {
        let mut variables = variables.to_vec();
        variables.push(("VAULTLET_IDENTITY", identity));
        let (_, error) = ask_in_vain(&variables);
        assert!(error.message.contains(says), "{says}\n{}", error.line());
    }
}

#[test]
fn a_workload_s_client_id_may_be_given_by_the_setting_alone() {
    for more in [&[][..], &[("VAULTLET_IDENTITY", "workload-identity")]] {
        let mut variables = WORKLOAD[1..].to_vec();
        variables.push(("VAULTLET_CLIENT_ID", GUID));
        variables.extend(more);
        let (sent, error) = ask_in_vain(&variables);
        assert!(sent[0].contains(&format!("client_id={GUID}")), "{sent:?}");
        assert_eq!(error.id, "authority-unexpected", "{}", error.line());
    }
}

#[test]
fn a_plain_identity_endpoint_at_a_name_is_used_where_it_is_allowed() {
    let sources: [(&str, &[(&str, &str)]); 5] = [
        ("MSI_ENDPOINT", &[("MSI_SECRET", "s")]),
        ("IDENTITY_ENDPOINT", &[("IDENTITY_HEADER", "s")]),
        ("IDENTITY_ENDPOINT", &[("IMDS_ENDPOINT", "s")]),
        ("OBO_ENDPOINT", &[]),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &[]),
    ];
    for (name, more) in sources {
        let ask = |url, allowed| {
            let mut variables = more.to_vec();
            variables.extend([(name, url), ("VAULTLET_ALLOW_HTTP_IDENTITY", allowed)]);
            ask_in_vain(&variables)
        };
        let url = "http://azclicredsproxy:8080/token";
        for allowed in ["azclicredsproxy", "x, AzCliCredsProxy:8080"] {
            let (sent, error) = ask(url, allowed);
            assert!(sent.first().is_some_and(|sent| sent.starts_with(url)), "{}", error.line());
        }
        for allowed in ["", "x", "azclicredsproxy:80", "proxy"] {
            let (sent, error) = ask(url, allowed);
            assert_eq!((sent.len(), error.id.as_str()), (0, "setting-malformed"), "{allowed}");
            let help = "--allow-http-identity azclicredsproxy";
            assert!(error.line().contains(help), "{}", error.line());
        }
        let (sent, error) = ask("http://20.50.1.1/token", "x");
        assert_eq!((sent.len(), error.id.as_str()), (0, "setting-malformed"));
        assert!(!error.line().contains("--allow-http-identity"), "{}", error.line());
    }
}

#[test]
fn a_refused_secret_with_white_space_at_its_end_is_told() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    let url = "POST https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
    for (secret, told) in [("hunter2\n", true), (" hunter2", true), ("hunter2", false)] {
        let variables = [APP[0], APP[1], ("AZURE_CLIENT_SECRET", secret)];
        let request = format!("{url} content-type: application/x-www-form-urlencoded | <*>");
        let world = ScriptedContext::new(&variables).answer(&request, 401, &[], body);
        let error = failed(
            ask(&world, &Memory::default()),
            "authority-refused",
            ErrorKind::Unauthenticated,
        );
        let says = "`AZURE_CLIENT_SECRET` begins or ends with white space";
        assert_eq!(error.message.contains(says), told, "{}", error.line());
    }
}

#[test]
fn resources_that_no_request_can_be_for_are_not_lent() {
    let name = crate::settings::RESOURCES_VARIABLE;
    let read_list = |list: &str| Settings::read(&|key| (key == name).then(|| list.into()));
    for list in [
        "https://vault.azure.net,",
        ",https://vault.azure.net",
        "https://vault.azure.net,,https://storage.azure.com",
        ",",
        "*",
        "not a uri",
        "a b",
        "https://vault.azure.net/?x",
        "https://vault.azure.net,\u{7f}",
        "/",
        "https://vault.azure.net https://storage.azure.com",
        "https://*.azure.net",
    ] {
        let error = failed(read_list(list), "argument-malformed", ErrorKind::InvalidArgument);
        assert!(error.message.contains("resource"), "{}", error.line());
    }
    for list in ["https://vault.azure.net", " https://vault.azure.net/.default , api://x ", GUID] {
        assert!(read_list(list).is_ok(), "{list}");
    }
}
