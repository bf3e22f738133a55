//! A thousand clients of an SDK against one lent endpoint, by the clock.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use vaultlet_host::{Lend, Vaultlet};
use vaultlet_tests::Run;
use vaultlet_tests::server::{Answer, Request, Server};

use super::install::go;

const SECRET: &str = "secret-of-the-endpoint";
const TOKEN: &str = r#"{"access_token":"e.y.J","expires_in":"86400","token_type":"Bearer"}"#;

/// Each client has a thread, a connection and a credential of its own. The identity is asked once for all of them.
#[test]
fn no_client_of_gos_sdk_waits_longer_than_the_identity() {
    const SLOW: Duration = Duration::from_secs(2);
    let Some(folder) = go() else { return };
    let identity = Server::plain(|_: &Request| {
        std::thread::sleep(SLOW);
        Answer::json(200, TOKEN)
    });
    // For a thousand sockets on either side; the child inherits the limit.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let enough = maximum.map_or(4_096, |most| most.min(4_096));
    setrlimit(Resource::Nofile, Rlimit { current: Some(enough), maximum }).unwrap();
    let endpoint = format!("http://127.0.0.1:{}/msi/token", identity.port());
    let variables = [("MSI_ENDPOINT", endpoint.as_str()), ("MSI_SECRET", SECRET)];
    let vaultlet = Vaultlet::builder().variables(variables).open().unwrap();
    let lent = vaultlet.lend(Lend::default()).unwrap();
    let app_service = lent.variables().iter().filter(|(name, _)| name.starts_with("IDENTITY_"));
    let ended = Run::program(folder.join("crowd"))
        .arguments(["1000"])
        .environment(app_service.cloned())
        .end();
    ended.reveals_none_of(&[SECRET], true);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let longest = Duration::from_millis(ended.stdout.trim().parse().unwrap());
    assert!(longest < SLOW + Duration::from_secs(1), "{longest:?}");
    // A client that asks after the first answer has come finds the token in the SDK's cache.
    assert!(lent.requests()[&200] > 900, "{:?}", lent.requests());
    assert_eq!(identity.requests().len(), 1);
}
