//! A hostile plugin, which tries what a plugin must not do.

wit_bindgen::generate!({
    inline: "
        package example:unruly;
        interface secrets-of-others {
            /// The value of a secret, or the kind and the whole line of the error.
            read: func(reference: string) -> result<string, string>;
            /// The value of a secret, read with an identity that the plugin chooses.
            read-as: func(reference: string, client-id: string) -> result<string, string>;
            /// Reads a secret several times and keeps all handles: their number, and the error that ended it.
            hoard: func(reference: string, times: u32) -> tuple<u32, string>;
            /// Reads a secret several times and keeps no handle.
            ask: func(reference: string, times: u32) -> tuple<u32, string>;
            /// The names of all secrets in a vault, page by page.
            secrets: func(vault: string) -> result<list<string>, string>;
            /// The number of a secret's versions.
            versions: func(reference: string) -> result<u32, string>;
            /// The names of all secrets, listed with an identity that the plugin chooses.
            secrets-as: func(vault: string, client-id: string) -> result<list<string>, string>;
            /// A secret's properties: name, content type, tags.
            properties: func(reference: string) -> result<tuple<string, option<string>, list<tuple<string, string>>>, string>;
        }
        world unruly {
            import vaultlet:keyvault/secrets@0.1.0;
            export secrets-of-others;
            // A function with the name of one in the C library would replace that one.
            /// The environment variables and arguments.
            export surroundings: func() -> list<string>;
            /// The result of opening a file.
            export open-file: func(path: string) -> string;
            /// The text of standard input.
            export read-input: func() -> string;
            /// Writes to standard output, then to standard error.
            export print: func(text: string);
            /// The number of calls to this instance.
            export count: func() -> u32;
            export spin: func();
            export sleep-long: func(seconds: u64);
            export recurse: func(depth: u64) -> u64;
            export panic-now: func();
            export exit-with: func(status: u8);
            /// Allocates a number of MiB and returns how many it got.
            export grow: func(mib: u32) -> u32;
            /// A list of this length.
            export flood: func(numbers: u32) -> list<u64>;
            export nothing: func();
            export several: func(flag: bool, number: s16, text: string, more: list<option<string>>) -> string;
        }
    ",
    path: "../../../wit",
    world: "example:unruly/unruly",
    generate_all,
});

use std::cell::Cell;
use std::hint::black_box;
use std::io::{Read as _, Write as _};

use exports::example::unruly::secrets_of_others;
use vaultlet::keyvault::secrets::{self, Listed, Secret};
use vaultlet::keyvault::types::{Error, Properties, UserAssigned};

struct Unruly;

fn line(e: Error) -> String {
    format!("{:?}: {}; {} ({})", e.kind, e.message, e.help, e.id)
}

fn all(what: Listed, identity: Option<&UserAssigned>) -> Result<Vec<Properties>, String> {
    let (mut items, mut marker) = (Vec::new(), None);
    loop {
        let page = secrets::list_page(&what, marker.as_deref(), identity).map_err(line)?;
        items.extend(page.items);
        marker = page.next;
        if marker.is_none() {
            return Ok(items);
        }
    }
}

impl secrets_of_others::Guest for Unruly {
    fn read(reference: String) -> Result<String, String> {
        secrets::get(&reference, None).map(|secret| secret.reveal()).map_err(line)
    }

    fn read_as(reference: String, client_id: String) -> Result<String, String> {
        let identity = UserAssigned::ClientId(client_id);
        secrets::get(&reference, Some(&identity)).map(|secret| secret.reveal()).map_err(line)
    }

    fn hoard(reference: String, times: u32) -> (u32, String) {
        let mut kept: Vec<Secret> = Vec::new();
        for had in 0..times {
            match secrets::get(&reference, None) {
                Ok(secret) => kept.push(secret),
                Err(error) => return (had, line(error)),
            }
        }
        (times, String::new())
    }

    fn ask(reference: String, times: u32) -> (u32, String) {
        for had in 0..times {
            if let Err(error) = secrets::get(&reference, None) {
                return (had, line(error));
            }
        }
        (times, String::new())
    }

    fn secrets(vault: String) -> Result<Vec<String>, String> {
        Ok(all(Listed::Secrets(vault), None)?.into_iter().map(|item| item.name).collect())
    }

    fn versions(reference: String) -> Result<u32, String> {
        let all = all(Listed::Versions(reference), None)?;
        Ok(u32::try_from(all.len()).unwrap_or(u32::MAX))
    }

    fn secrets_as(vault: String, client_id: String) -> Result<Vec<String>, String> {
        let identity = UserAssigned::ClientId(client_id);
        let all = all(Listed::Secrets(vault), Some(&identity))?;
        Ok(all.into_iter().map(|item| item.name).collect())
    }

    fn properties(
        reference: String,
    ) -> Result<(String, Option<String>, Vec<(String, String)>), String> {
        let properties = secrets::get(&reference, None).map_err(line)?.properties();
        Ok((properties.name, properties.content_type, properties.tags))
    }
}

impl Guest for Unruly {
    fn surroundings() -> Vec<String> {
        let variables = std::env::vars().map(|(name, value)| format!("{name}={value}"));
        variables.chain(std::env::args()).collect()
    }

    fn open_file(path: String) -> String {
        match std::fs::read(path) {
            Ok(bytes) => format!("{} bytes", bytes.len()),
            Err(error) => error.to_string(),
        }
    }

    fn read_input() -> String {
        let mut heard = String::new();
        match std::io::stdin().read_to_string(&mut heard) {
            Ok(_) => heard,
            Err(error) => error.to_string(),
        }
    }

    fn print(text: String) {
        print!("{text}");
        let _ = std::io::stdout().flush();
        eprint!("{text}");
    }

    fn count() -> u32 {
        thread_local!(static CALLS: Cell<u32> = const { Cell::new(0) });
        CALLS.set(CALLS.get() + 1);
        CALLS.get()
    }

    fn spin() {
        let mut n = 0u64;
        loop {
            n = black_box(n.wrapping_add(1));
        }
    }

    fn sleep_long(seconds: u64) {
        std::thread::sleep(std::time::Duration::from_secs(seconds));
    }

    fn recurse(depth: u64) -> u64 {
        if black_box(depth) == 0 { 0 } else { black_box(Self::recurse(depth - 1)) + 1 }
    }

    fn panic_now() {
        panic!("by its own will");
    }

    fn exit_with(status: u8) {
        std::process::exit(status.into());
    }

    fn grow(mib: u32) -> u32 {
        let mut had = Vec::new();
        for _ in 0..mib {
            had.push(black_box(vec![1u8; 1 << 20]));
        }
        u32::try_from(had.len()).unwrap_or(u32::MAX)
    }

    fn flood(numbers: u32) -> Vec<u64> {
        vec![7; numbers as usize]
    }

    fn nothing() {}

    fn several(flag: bool, number: i16, text: String, more: Vec<Option<String>>) -> String {
        format!("{flag} {number} {text} {more:?}")
    }
}

export!(Unruly);
