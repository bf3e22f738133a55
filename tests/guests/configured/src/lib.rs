//! A component that reads its configuration through `wasi:config` and knows nothing of vaults.

wit_bindgen::generate!({
    inline: "
        package example:configured;
        world configured {
            import wasi:config/store@0.2.0-rc.1;
            /// The length of a key's value, or why it cannot be read.
            export describe: func(key: string) -> result<string, string>;
            /// All keys, each with the length of its value.
            export all: func() -> result<string, string>;
        }
    ",
    path: "../../../guest/adapters/wit/config",
    world: "example:configured/configured",
    generate_all,
});

use wasi::config::store::{self, Error};

struct Configured;

impl Guest for Configured {
    fn describe(key: String) -> Result<String, String> {
        match store::get(&key) {
            Ok(Some(value)) => Ok(format!("{key} has {} bytes", value.len())),
            Ok(None) => Ok(format!("{key} is not there")),
            Err(error) => Err(told(error)),
        }
    }

    fn all() -> Result<String, String> {
        let all = store::get_all().map_err(told)?;
        let all: Vec<_> = all.iter().map(|(key, value)| format!("{key}:{}", value.len())).collect();
        Ok(all.join(" "))
    }
}

fn told(error: Error) -> String {
    match error {
        Error::Upstream(line) => format!("upstream: {line}"),
        Error::Io(line) => format!("io: {line}"),
    }
}

export!(Configured);
