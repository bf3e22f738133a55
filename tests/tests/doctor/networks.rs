//! Networks in which something stands between this machine and the vault.

use vaultlet_tests::sandbox::{in_namespace, skipped};
use vaultlet_tests::server::{Answer, Refusing, Server};
use vaultlet_tests::tls::Ca;

use super::*;

#[test]
fn names_and_connections() {
    let local = local();
    let place = Place::without_reference(&local).argument("akv://jop/db-password");
    place.expect(
        "a wrong name",
        69,
        &[(
            "name",
            "fail",
            "jop.vault.azure.net:443: the proxy 127.0.0.1:",
            "check the host's name",
        )],
    );
    let refusing = Refusing::default();
    let rule = format!("job.vault.azure.net:443:127.0.0.1:{}", refusing.port);
    Place::identity(&local).argument("--resolve").argument(&rule).expect(
        "refused",
        69,
        &[
            ("name", "ok", "127.0.0.1 (private), by `--resolve`", ""),
            ("connection", "fail", "connection refused (vault-unreachable)", "firewall"),
        ],
    );
    let plain = Server::plain(|_| Answer::status(404));
    Place::at(&local, &plain).expect(
        "no TLS",
        69,
        &[("tls", "fail", "does not speak TLS", "what stands between")],
    );
    Place::job(&local).set("VAULTLET_RESOLVE", "job").expect(
        "a malformed rule",
        78,
        &[("settings", "fail", "VAULTLET_RESOLVE", "10.0.0.4")],
    );
}

/// A vault that takes a connection and never answers leaves the time that the identity needs.
#[test]
fn vaults_that_hang() {
    let local = local();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let rule = format!("job.vault.azure.net:443:{}", silent.local_addr().unwrap());
    let place = Place::identity(&local).argument("--resolve").argument(&rule);
    place.argument("--timeout").argument("4").expect(
        "no TLS",
        69,
        &[
            ("identity", "ok", "found: managed-identity", ""),
            ("token", "ok", "for https://vault.azure.net", ""),
            ("tls", "fail", "job.vault.azure.net:443: it accepts the connection, and does not answer the TLS handshake: not done within 2 s (timeout)", "--timeout"),
        ],
    );
    let ca = Ca::default();
    let mute = Server::tls(&ca.leaf(&["job.vault.azure.net"]), |_| Answer::never());
    let place =
        Place::at(&local, &mute).argument("--ca-file").argument(ca.file().to_str().unwrap());
    place.argument("--timeout").argument("4").expect(
        "no response",
        69,
        &[
            ("token", "ok", "for https://vault.azure.net", ""),
            ("connection", "warn", "does not answer a request", "what stands between"),
            ("tls", "ok", "trusted", ""),
            ("access", "fail", "(timeout)", ""),
            ("clock", "warn", "what time", ""),
        ],
    );
    // So does a proxy, and a second vault is still looked at.
    let proxy = format!("http://{}", silent.local_addr().unwrap());
    let place = Place::job(&local).unset(&["HTTPS_PROXY", "https_proxy"]).set("HTTPS_PROXY", proxy);
    place.argument("--timeout").argument("3").expect(
        "no tunnel",
        69,
        &[
            ("token", "ok", "", ""),
            ("proxy", "fail", "the proxy opens no connection to it", "--timeout"),
        ],
    );
    let place = Place::job(&local).argument("akv://other/x").argument("--resolve");
    let rule = rule.replace("job.", "other.");
    let ended = place
        .argument(&rule)
        .argument("--timeout")
        .argument("4")
        .set("NO_PROXY", "other.vault.azure.net")
        .run(&[]);
    assert!(
        ended.stdout.contains("ok    secret      akv://job.vault.azure.net/db-password"),
        "{}",
        ended.stdout
    );
}

/// The request of the doctor itself is in the log, like every other.
#[test]
fn every_request_is_in_the_log() {
    let ended = Place::job(&local()).argument("--log").argument("info").run(&[]);
    let requests =
        ended.stderr.lines().filter(|line| line.contains(" GET job.vault.azure.net:443 /"));
    let own = requests.filter(|line| line.contains(":443 / 4")).count();
    assert_eq!((ended.code, own), (0, 1), "{}", ended.stderr);
}

/// All settings that are malformed are told, each by its check.
#[test]
fn several_malformed_settings() {
    let place = Place::job(&local())
        .set("HTTPS_PROXY", "socks5://127.0.0.1:1080")
        .set("VAULTLET_TIMEOUT", "soon")
        .set("VAULTLET_RESOLVE", "job")
        .set("VAULTLET_CLOUD", "mars")
        .set("VAULTLET_IDENTITY", "nobody")
        .set("VAULTLET_CA_FILE", "/no/such.pem");
    place.expect(
        "six",
        78,
        &[
            ("settings", "fail", "`VAULTLET_TIMEOUT`", "correct"),
            ("settings", "fail", "`VAULTLET_RESOLVE`", ""),
            ("settings", "fail", "`VAULTLET_CLOUD`", ""),
            ("proxy", "fail", "`HTTPS_PROXY`", ""),
            ("identity", "fail", "`VAULTLET_IDENTITY`", ""),
            ("tls", "fail", "/no/such.pem", ""),
        ],
    );
    // Flags, too, each by its check, and with the settings that it hides left out.
    let local = local();
    let flags = Place::job(&local).set("VAULTLET_CLOUD", "moon");
    flags
        .argument("--cloud=mars")
        .argument("--timeout=soon")
        .argument("--client-id=nobody")
        .expect(
            "flags",
            64,
            &[
                ("settings", "fail", "`--cloud`", ""),
                ("settings", "fail", "`--timeout`", ""),
                ("identity", "fail", "`--client-id`", ""),
            ],
        );
    // A flag stands for the variable.
    place.argument("--timeout").argument("9").run(&[]).stdout.lines().for_each(|line| {
        assert!(!line.contains("`VAULTLET_TIMEOUT`: "), "{line}");
    });
}

#[test]
fn proxies() {
    let local = local();
    let own = ["HTTPS_PROXY", "https_proxy"];
    let through = |url: &str| Place::job(&local).unset(&own).set("HTTPS_PROXY", url);
    let authorizing = Server::plain(|_| Answer::status(407));
    through(&format!("http://127.0.0.1:{}", authorizing.port())).expect(
        "authorization",
        69,
        &[("proxy", "fail", "it answered 407", "put its user and password")],
    );
    let ended = through(&format!("http://who:s3cret-of-proxy@127.0.0.1:{}", authorizing.port()));
    let ended = ended.run(&[]);
    ended.reveals_none_of(&["s3cret-of-proxy"], true);
    assert_eq!(ended.code, 69, "{}", ended.stdout);
    assert!(ended.stdout.contains("correct the user and the password"), "{}", ended.stdout);
    let forbidding = Server::plain(|_| Answer::status(403));
    through(&format!("http://127.0.0.1:{}", forbidding.port())).expect(
        "policy",
        69,
        &[("proxy", "fail", "it answered 403", "`NO_PROXY`")],
    );
    let refusing = Refusing::default();
    through(&format!("http://127.0.0.1:{}", refusing.port)).expect(
        "down",
        69,
        &[("proxy", "fail", "it cannot be reached: connection refused", "`HTTPS_PROXY`")],
    );
    through("socks5://127.0.0.1:1080").expect(
        "of another kind",
        78,
        &[("proxy", "fail", "only `http://` proxies", "http://host:port")],
    );
    Place::without_reference(&local).unset(&own).set("HTTP_PROXY", "http://127.0.0.1:1").expect(
        "not read",
        0,
        &[
            ("proxy", "warn", "`HTTP_PROXY` is set, and is not read", "`HTTPS_PROXY`"),
            ("references", "warn", "", ""),
        ],
    );
}

#[test]
fn certificates() {
    let local = local();
    let (ca, other) = (Ca::default(), Ca::default());
    let trusting = |server: &Server| {
        Place::at(&local, server).argument("--ca-file").argument(ca.file().to_str().unwrap())
    };
    let right = vault(&ca.leaf(&["job.vault.azure.net"]), None);
    trusting(&right).expect(
        "trusted",
        0,
        &[("tls", "ok", "for job.vault.azure.net, issued by CN=vaultlet test CA", "")],
    );
    let untrusted = vault(&other.leaf(&["job.vault.azure.net"]), None);
    trusting(&untrusted).expect(
        "untrusted",
        78,
        &[("tls", "fail", "issued by CN=vaultlet test CA", "`--ca-file`")],
    );
    assert!(untrusted.requests().is_empty(), "something was sent to a server that is not trusted");
    let (own_leaf, file) = ca.own_leaf(&["job.vault.azure.net"]);
    let own = vault(&own_leaf, None);
    for file in [file, ca.file()] {
        Place::at(&local, &own).argument("--ca-file").argument(file.to_str().unwrap()).expect(
            "an authority's",
            78,
            &[("tls", "fail", "that of an authority (`CA:TRUE`)", "CA:FALSE")],
        );
    }
    let rule = format!("job.vault.azure.net:443:127.0.0.1:{}", own.port());
    let get = Run::vaultlet(["get", REFERENCE, "--resolve", &rule])
        .environment(Place::identity(&local).variables)
        .end();
    assert_eq!(get.code, 78, "{}", get.stderr);
    for words in ["(`CA:TRUE`)", "CA:FALSE"] {
        assert!(get.stderr.contains(words), "{}", get.stderr);
    }
    let expired = vault(&ca.expired_leaf(&["job.vault.azure.net"]), None);
    trusting(&expired).expect(
        "expired",
        78,
        &[(
            "tls",
            "fail",
            "has expired: for job.vault.azure.net, ",
            "unless this machine's clock is wrong",
        )],
    );
    let misnamed = vault(&ca.leaf(&["*.example.test"]), None);
    trusting(&misnamed).expect(
        "for another name",
        78,
        &[("tls", "fail", "for *.example.test", "another server is there")],
    );
    let own = ["SSL_CERT_FILE", "VAULTLET_CA_FILE", "REQUESTS_CA_BUNDLE"];
    Place::job(&local).unset(&own).expect(
        "a proxy with a CA of its own",
        78,
        &[(
            "tls",
            "fail",
            "issued by CN=vaultlet dev",
            "the proxy, or something behind it, ends TLS",
        )],
    );
    Place::job(&local).set("VAULTLET_CA_FILE", "/no/such.pem").expect(
        "no file",
        78,
        &[("tls", "fail", "/no/such.pem", "PEM")],
    );
}

#[test]
fn clocks() {
    let local = local();
    let ca = Ca::default();
    let leaf = ca.leaf(&["job.vault.azure.net"]);
    let at = |date: &str| {
        let server = vault(&leaf, Some(date.to_owned()));
        let place = Place::at(&local, &server).argument("--ca-file");
        (place.argument(ca.file().to_str().unwrap()), server)
    };
    let (place, _server) = at("Fri, 01 Jan 2016 00:00:00 GMT");
    place.expect("behind", 0, &[("clock", "warn", "s ahead of job.vault.azure.net", "NTP")]);
    let (place, _server) = at("Fri, 31 Dec 2100 23:59:59 GMT");
    place.expect("ahead", 0, &[("clock", "warn", "s behind job.vault.azure.net", "NTP")]);
    let (place, _server) = at("tomorrow");
    place.expect("nonsense", 0, &[("clock", "warn", "does not say what time it is", "`date -u`")]);
}

/// Names in a hosts file, which has the name of a private link first, as a resolver follows an alias.
#[test]
fn private_links() {
    let hosts = "
ip link set lo up
hosts=$(mktemp)
echo '10.9.9.9 job.privatelink.vaultcore.azure.net job.vault.azure.net' > $hosts
echo '20.50.1.1 far.privatelink.vaultcore.azure.net far.vault.azure.net' >> $hosts
echo '127.0.0.1 near.vault.azure.net' >> $hosts
mount --bind $hosts /etc/hosts; rm $hosts
resolv=$(mktemp); echo 'nameserver 127.0.0.1' > $resolv; mount --bind $resolv /etc/resolv.conf; rm $resolv";
    let program = [vaultlet().as_os_str()];
    let Some((unshare, arguments)) = in_namespace(hosts, program) else {
        return skipped("private links", "namespaces are not permitted");
    };
    let ended = Run::program(unshare)
        .arguments(arguments)
        .arguments(["doctor", "--identity", "environment", "--timeout", "20"])
        .arguments(["akv://job/x", "akv://far/x", "akv://near/x", "akv://nowhere/x"])
        .end();
    assert_eq!(ended.code, 79, "{}{}", ended.stdout, ended.stderr);
    for text in [
        "ok    name        job.vault.azure.net is 10.9.9.9 (private), as job.privatelink.vaultcore.azure.net, a private endpoint",
        "warn  name        far.vault.azure.net is 20.50.1.1 (public), as far.privatelink.vaultcore.azure.net: the vault has a private endpoint, and this network leads past it; link the private DNS zone",
        "fail  name        near.vault.azure.net:443: near.vault.azure.net leads to 127.0.0.1, an address that is not allowed for it (egress-denied)",
        "fail  name        nowhere.vault.azure.net:443: ",
        "fail  connection  job.vault.azure.net:443: ",
    ] {
        assert!(ended.stdout.contains(text), "{text}: {}", ended.stdout);
    }
}
