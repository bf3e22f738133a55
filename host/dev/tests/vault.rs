//! The vault over real sockets, by each way in.

mod support;

use support::{With, managed_token, send};
use vaultlet_dev::Local;

const VERSION: &str = "api-version=2025-07-01";

#[tokio::test]
async fn secret_is_read_by_every_way_in() {
    let local = Local::builder().vault("my-key-vault").seed("db", "hunter2").start().unwrap();
    let vault = local.vault("My-Key-Vault").unwrap().clone();
    for (origin, audience) in [
        (vault.url().to_owned(), "https://vault.azure.net".to_owned()),
        ("https://my-key-vault.vault.azure.cn".into(), "https://vault.azure.cn".into()),
        (
            "https://my-key-vault.vault.usgovcloudapi.net".into(),
            "https://vault.usgovcloudapi.net".into(),
        ),
        (vault.localhost().to_owned(), vault.localhost().replace("my-key-vault.", "")),
        (vault.http().to_owned(), vault.http().to_owned()),
    ] {
        for h2 in [false, true] {
            let url = format!("{origin}/secrets/db/?{VERSION}");
            let refused = send(&local, &url, With { h2, ..With::default() }).await;
            assert_eq!(refused.status, 401);
            let challenge = refused.header("www-authenticate");
            assert!(challenge.ends_with(&format!(", resource=\"{audience}\"")), "{challenge}");

            let bearer = format!("Bearer {}", managed_token(&local, &audience).await);
            let headers = [("authorization", bearer.as_str())];
            let reply = send(&local, &url, With { headers: &headers, h2, ..With::default() }).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let bundle = reply.json();
            assert_eq!(bundle["value"], "hunter2");
            assert!(bundle["id"].as_str().unwrap().starts_with(&format!("{origin}/secrets/db/")));
        }
    }
}
