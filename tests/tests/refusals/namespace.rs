//! Faulty networks, each set up in a network namespace without a way out.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use vaultlet_tests::sandbox::{in_namespace, skipped};
use vaultlet_tests::vaultlet;

use super::*;

/// A network that swallows all packets.
const SWALLOWED: &str = "
ip link set lo up
ip link add v0 type veth peer name v1
ip addr add 10.9.9.1/24 dev v0
ip link set v0 up
ip link set v1 up
ip neigh add 10.9.9.2 lladdr 02:00:00:00:00:99 dev v0 nud permanent
ip route add default via 10.9.9.2";
const NO_ROUTE: &str = "ip link set lo up";
const REFUSED: &str = "ip link set lo up; ip addr add 169.254.169.254/32 dev lo";
/// A network whose name server does not exist; no query leaves the namespace.
const NO_NAMES: &str = "
ip link set lo up
hosts=$(mktemp); echo '127.0.0.1 localhost' > $hosts; mount --bind $hosts /etc/hosts; rm $hosts
resolv=$(mktemp); echo 'nameserver 127.0.0.1' > $resolv; mount --bind $resolv /etc/resolv.conf; rm $resolv";

#[test]
fn a_missing_identity_is_reported_soon_whatever_the_metadata_address_does() {
    for (name, setup) in
        [("packets are swallowed", SWALLOWED), ("no route", NO_ROUTE), ("refused", REFUSED)]
    {
        let row = Row {
            name,
            expected: (79, "not-configured", "no-identity"),
            says: &["managed-identity", "169.254.169.254", "managed identity"],
            ..ROW
        };
        let Some((plain, took)) = ended(setup, &["akv://job/db-password"]) else { return };
        println!("no identity, {name}: {} ms", took.as_millis());
        check_line(&row, &plain);
        // The request was sent, and not denied by the egress policy.
        assert!(!plain.stderr.contains("does not allow"), "{name}: {}", plain.stderr);
        // The limit only catches a hang; the measured time is printed.
        assert!(took < Duration::from_secs(10), "{name}: {took:?}");
        let Some((json, _)) = ended(setup, &["akv://job/db-password", "-o", "json"]) else {
            return;
        };
        let error = check_json(&row, &json);
        let attempts = error["attempts"].as_array().unwrap();
        assert!(attempts.iter().all(|attempt| attempt["outcome"] == "not-configured"), "{error}");
        let imds = attempts.iter().find(|attempt| attempt["endpoint"] == "imds").unwrap();
        assert_eq!(imds["source"], "managed-identity");
    }
}

/// A source that `--identity` names must not be skipped.
#[test]
fn a_named_identity_that_is_missing_has_failed() {
    let row = Row {
        name: "named",
        expected: (79, "not-configured", "no-identity"),
        says: &["managed-identity"],
        ..ROW
    };
    let arguments = ["akv://job/x", "--identity=managed-identity"];
    let Some((plain, _)) = ended(REFUSED, &arguments) else { return };
    check_line(&row, &plain);
}

/// The agent of Azure Arc is installed, which its program's file shows; no variable names it.
#[test]
fn an_arc_agent_that_does_not_respond_is_named() {
    let setup = "
ip link set lo up
mount -t tmpfs none /opt; mkdir -p /opt/azcmagent/bin; head -c 3000000 /dev/zero > /opt/azcmagent/bin/himds";
    let row = Row {
        name: "arc",
        expected: (69, "unavailable", "identity-unreachable"),
        says: &["managed-identity (azure-arc)", "127.0.0.1:40342", "refused"],
        ..ROW
    };
    let arguments = ["akv://job/x", "--identity=managed-identity"];
    let Some((plain, _)) = ended(setup, &arguments) else { return };
    check_line(&row, &plain);
}

#[test]
fn a_vault_whose_name_does_not_resolve_is_named() {
    let row = Row {
        name: "unknown",
        expected: (69, "unavailable", "vault-unreachable"),
        says: &["nothing.invalid", "check the vault's name"],
        ..ROW
    };
    let Some((plain, _)) = ended(NO_NAMES, &["akv://nothing.invalid/x"]) else { return };
    check_line(&row, &plain);
    let arguments = ["akv://nothing.invalid/x", "-o", "json"];
    let Some((json, _)) = ended(NO_NAMES, &arguments) else { return };
    check_json(&row, &json);
}

/// The system's own limit for a name server that does not respond is 10 s and more.
#[test]
fn a_name_server_that_does_not_respond_delays_no_call_beyond_its_time() {
    let setup = format!(
        "{SWALLOWED}
resolv=$(mktemp); echo 'nameserver 10.9.9.2' > $resolv; mount --bind $resolv /etc/resolv.conf; rm $resolv"
    );
    let arguments = ["akv://job/x", "--timeout=1", "--identity=managed-identity"];
    let variables = ["MSI_ENDPOINT=http://identity.invalid/msi/token", "MSI_SECRET=h1dden"];
    let Some((ended, took)) = ended_with(&setup, &variables, &arguments) else { return };
    assert_eq!(ended.code, 69, "{}", ended.stderr);
    ended.reveals_none_of(&["h1dden"], false);
    println!("no name server: {} ms", took.as_millis());
    assert!(took < Duration::from_secs(4), "{took:?}: {}", ended.stderr);
}

fn ended(setup: &str, arguments: &[&str]) -> Option<(Ended, Duration)> {
    ended_with(setup, &[], arguments)
}

fn ended_with(setup: &str, variables: &[&str], arguments: &[&str]) -> Option<(Ended, Duration)> {
    let variables = variables.iter().map(AsRef::<OsStr>::as_ref);
    let command = [OsStr::new("env")].into_iter().chain(variables);
    let command = command.chain([vaultlet().as_os_str(), "get".as_ref()]);
    let command = command.chain(arguments.iter().map(AsRef::as_ref));
    let Some((program, arguments)) = in_namespace(setup, command) else {
        skipped("refusals::namespace", "no network namespace is permitted here");
        return None;
    };
    // The time to set up the network alone, which is subtracted.
    let empty = in_namespace(setup, ["true"])?;
    let started = Instant::now();
    Run::program(&empty.0).arguments(&empty.1).end();
    let setting_up = started.elapsed();
    let started = Instant::now();
    let ended = Run::program(program).arguments(arguments).end();
    Some((ended, started.elapsed().saturating_sub(setting_up)))
}
