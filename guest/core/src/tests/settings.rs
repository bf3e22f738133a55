use super::*;
use crate::{
    settings::Label,
    settings::{Cloud, Settings},
};
use core::time::Duration;

fn read(variables: &[(&str, &str)]) -> Result<Settings, Error> {
    Settings::read(&|name| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
    })
}

#[test]
fn malformed_settings_are_named_without_their_values() {
    for (name, value) in [
        ("VAULTLET_IDENTITY", "hunter2"),
        ("VAULTLET_IDENTITY", "auto,managed-identity"),
        ("VAULTLET_IDENTITY", ","),
        ("VAULTLET_EXCLUDE", "hunter2"),
        ("VAULTLET_CLIENT_ID", "hunter2"),
        ("VAULTLET_OBJECT_ID", "hunter2"),
        ("VAULTLET_RESOURCE_ID", "hunter2"),
        ("VAULTLET_CLOUD", "hunter2"),
        ("VAULTLET_ALLOW_HTTP_LOOPBACK", "hunter2"),
        ("VAULTLET_TIMEOUT", "hunter2"),
        ("VAULTLET_TIMEOUT", "0"),
        ("VAULTLET_TIMEOUT", "-1"),
        ("VAULTLET_TIMEOUT", "1e3"),
        ("VAULTLET_TIMEOUT", "86401"),
        ("VAULTLET_TIMEOUT", "1."),
        ("VAULTLET_IDENTITY_ENDPOINT", "hunter2"),
        ("AZURE_TOKEN_CREDENTIALS", "hunter2"),
        ("AZURE_AUTHORITY_HOST", "http://login.microsoftonline.com"),
        ("AZURE_AUTHORITY_HOST", "hunter2 x"),
    ] {
        let error = failed(read(&[(name, value)]), "setting-malformed", ErrorKind::Configuration);
        assert!(error.message.contains(&format!("`{name}`")), "{}", error.line());
    }
}

#[test]
fn conflicting_settings_are_named() {
    let error = failed(
        read(&[("VAULTLET_CLIENT_ID", GUID), ("VAULTLET_OBJECT_ID", GUID)]),
        "settings-conflict",
        ErrorKind::Configuration,
    );
    assert!(error.message.contains("`VAULTLET_CLIENT_ID`"));
    assert!(error.message.contains("`VAULTLET_OBJECT_ID`"));
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let names = [
        "VAULTLET_IDENTITY",
        "VAULTLET_EXCLUDE",
        "VAULTLET_CLIENT_ID",
        "VAULTLET_CLOUD",
        "VAULTLET_TIMEOUT",
        "VAULTLET_ALLOW_HTTP_LOOPBACK",
        "VAULTLET_IDENTITY_ENDPOINT",
        "AZURE_TOKEN_CREDENTIALS",
        "AZURE_AUTHORITY_HOST",
    ];
    let settings = read(&names.map(|name| (name, ""))).unwrap();
    assert!(!settings.chain.named && settings.identity.is_none());
    assert_eq!(settings.timeout, Duration::from_secs(120));
}

#[test]
fn the_setting_wins_over_azures_variable() {
    let settings =
        read(&[("VAULTLET_IDENTITY", "obo"), ("AZURE_TOKEN_CREDENTIALS", "hunter2")]).unwrap();
    assert_eq!(settings.chain.labels, [Label::AzuremlObo]);
    let settings = read(&[("VAULTLET_TIMEOUT", "0.25")]).unwrap();
    assert_eq!(settings.timeout, Duration::from_millis(250));
}

#[test]
fn authority_and_cloud_are_independent() {
    for (cloud, host, expected, authority) in [
        ("", "", Some(Cloud::Public), "login.microsoftonline.com:443"),
        ("china", "", Some(Cloud::China), "login.chinacloudapi.cn:443"),
        ("", " login.microsoftonline.us/ ", Some(Cloud::UsGov), "login.microsoftonline.us:443"),
        // The setting wins over Azure's variable.
        (
            "china",
            "https://login.microsoftonline.us",
            Some(Cloud::China),
            "login.chinacloudapi.cn:443",
        ),
        ("", "https://login.contoso.example", None, "login.contoso.example:443"),
        ("usgov", "https://login.contoso.example", Some(Cloud::UsGov), "login.contoso.example:443"),
        // The local Azure.
        ("", "https://localhost:8443", Some(Cloud::Public), "localhost:8443"),
    ] {
        let variables = [("VAULTLET_CLOUD", cloud), ("AZURE_AUTHORITY_HOST", host)];
        let settings = read(&variables).unwrap();
        assert_eq!(settings.cloud, expected, "{cloud} {host}");
        assert_eq!(settings.authority.host_and_port(), authority, "{cloud} {host}");
    }
    let plain = ("AZURE_AUTHORITY_HOST", "http://127.0.0.1:9");
    failed(read(&[plain]), "setting-malformed", ErrorKind::Configuration);
    read(&[plain, ("VAULTLET_ALLOW_HTTP_LOOPBACK", "true")]).unwrap();
}

#[test]
fn settings_are_read_once_and_given_ones_hold_for_one_call() {
    let memory = Memory::default();
    let world = ScriptedContext::new(&[("VAULTLET_TIMEOUT", "1")]);
    let given = [("VAULTLET_TIMEOUT", "2".to_string())];
    let seconds = |call: Result<Call<'_, _>, Error>| call.unwrap().settings().timeout.as_secs();
    for _ in 0..2 {
        assert_eq!(seconds(Call::with_settings(&world, &memory, &given)), 2);
        assert_eq!(seconds(Call::new(&world, &memory)), 1);
    }
    let other = ScriptedContext::new(&[("VAULTLET_TIMEOUT", "3")]);
    assert_eq!(seconds(Call::new(&other, &memory)), 1);
    // A malformed setting is an error in each call.
    let (memory, world) = (Memory::default(), ScriptedContext::new(&[("VAULTLET_TIMEOUT", "x")]));
    for _ in 0..2 {
        failed(Call::new(&world, &memory), "setting-malformed", ErrorKind::Configuration);
    }
}
