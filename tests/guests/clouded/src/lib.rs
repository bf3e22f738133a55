//! A component that reads its secrets through `wasmcloud:secrets` and knows nothing of vaults.

wit_bindgen::generate!({
    inline: "
        package example:clouded;
        world clouded {
            import wasmcloud:secrets/store@2.1.0;
            import wasmcloud:secrets/reveal@2.1.0;
            /// The length of a key's secret, or why it cannot be read.
            export describe: async func(key: string) -> result<string, string>;
        }
    ",
    path: "../../../guest/adapters/wit/wasmcloud",
    world: "example:clouded/clouded",
    generate_all,
});

use wasmcloud::secrets::reveal::reveal;
use wasmcloud::secrets::store::{self, SecretValue, SecretsError};

struct Clouded;

impl Guest for Clouded {
    async fn describe(key: String) -> Result<String, String> {
        let secret = store::get(key.clone()).await.map_err(|error| match error {
            SecretsError::Upstream(line) => format!("upstream: {line}"),
            SecretsError::Io(line) => format!("io: {line}"),
            SecretsError::NotFound => "not found".into(),
        })?;
        match reveal(&secret).await {
            SecretValue::String(value) => Ok(format!("{key} has {} bytes", value.len())),
            SecretValue::Bytes(_) => Err("it is no text".into()),
        }
    }
}

export!(Clouded);
