//! Every error id: the component's, from its own table, and those of the host, of the libraries built
//! on it, and of this program. `ERRORS.md` is generated from these tables.

use vaultlet_core::error::{IDS, exit};

/// An error id and its explanation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) id: &'static str,
    kinds: &'static [&'static str],
    /// The exit code, where it does not follow from the kind.
    exit: Option<u8>,
    meaning: &'static str,
    /// The remedy; empty when there is nothing to do.
    remedy: &'static str,
}

/// Every error id, sorted by exit code.
pub(crate) fn all() -> impl Iterator<Item = Entry> {
    let component_ids = IDS.iter().map(|(id, kind, meaning, remedy)| {
        let kinds = KINDS.iter().find(|one| one.first() == Some(&kind.name()));
        let kinds = kinds.copied().unwrap_or_default();
        Entry { id, kinds, exit: None, meaning, remedy }
    });
    let mut all: Vec<_> = component_ids.chain(HOST_IDS.iter().copied()).collect();
    all.sort_by_key(Entry::first_exit);
    all.into_iter()
}

impl Entry {
    /// What the id means and what to do, as paragraphs.
    pub(crate) fn text(&self) -> String {
        let exits: Vec<_> = self.exits().map(|exit| exit.to_string()).collect();
        let codes = if exits.len() > 1 { "Exit codes" } else { "Exit code" };
        let exits = exits.join(" (in a flag) and ");
        let last = if codes.ends_with('s') { " (in a variable)" } else { "" };
        let kinds: Vec<_> = self.kinds.iter().map(|kind| format!("`{kind}`")).collect();
        let kinds = kinds.join(" or ");
        let mut text =
            format!("{codes} {exits}{last}, kind {kinds}.\n\n{}\n", to_sentence(self.meaning));
        if !self.remedy.is_empty() {
            text.extend(["\nWhat to do: ", self.remedy, ".\n"]);
        }
        text
    }

    /// The id and its meaning on one line.
    pub(crate) fn line(&self) -> String {
        format!("{:26} {}\n", self.id, self.meaning)
    }

    fn exits(&self) -> impl Iterator<Item = u8> {
        self.kinds.iter().map(|kind| self.exit.unwrap_or_else(|| exit(kind)))
    }

    fn first_exit(&self) -> u8 {
        self.exits().next().unwrap_or_default()
    }
}

/// The text as a sentence.
fn to_sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map(|first| format!("{}{}.", first.to_uppercase(), rest.as_str()))
        .unwrap_or_default()
}

/// The kinds of failure, each as a list of one kind.
const KINDS: &[&[&str]] = &[
    &["usage"],
    &["invalid-argument"],
    &["not-found"],
    &["disabled"],
    &["unavailable"],
    &["timeout"],
    &["internal"],
    &["conflict"],
    &["throttled"],
    &["denied"],
    &["configuration"],
    &["not-configured"],
    &["unauthenticated"],
];

macro_rules! ids {
    ($($id:literal [$($kind:literal),*] $(exit $exit:literal)? $meaning:literal $remedy:literal)*) => {
        &[$(Entry {
            id: $id,
            kinds: &[$($kind),*],
            exit: ids!(@exit $($exit)?),
            meaning: $meaning,
            remedy: $remedy,
        },)*]
    };
    (@exit $exit:literal) => { Some($exit) };
    (@exit) => { None };
}

/// The error ids that the component does not have.
const HOST_IDS: &[Entry] = ids! {
    // Commands that run a command.
    "env-file" ["configuration"]
        "an env file cannot be read, or a line of it is malformed"
        "correct the path or the line: `NAME=VALUE`"
    "file-failed" ["configuration"]
        "no file can be made in memory for a secret that a command reads from a file"
        "make `/dev/shm` a memory file system that may be written to, or leave `as=` out"
    "in-file" ["configuration"]
        "a text that `vaultlet inject` or `redact` reads cannot be read, or is too large"
        "correct the path, or the file"
    "not-on-this-system" ["configuration"]
        "a command, or something that it is asked for, is not there on this operating system"
        "do it on Linux (on Windows in WSL, or in a container), or as the message says"
    // The host.
    "address-space" ["configuration"]
        "the system allows this process too little address space (not memory): each concurrent call reserves 48 MiB"
        "raise the limit (`ulimit -v`), or allow fewer concurrent calls (`concurrency`)"
    "agent-unexpected" ["unavailable"]
        "what listens where `VAULTLET_AGENT` says does not answer as an agent does"
        "check that it is an agent of this version of vaultlet; to ask the vault in its place set `VAULTLET_AGENT_FALLBACK=direct`"
    "agent-unreachable" ["unavailable"]
        "there is no agent where `VAULTLET_AGENT` says, or it is stopped and answers nothing"
        "start it (`vaultlet agent`), or unset `VAULTLET_AGENT`; to ask the vault in its place set `VAULTLET_AGENT_FALLBACK=direct`"
    "agent-untrusted" ["configuration"]
        "the socket that `VAULTLET_AGENT` names belongs neither to this user nor to root; nothing was sent"
        "name the socket of an agent of this user or of root"
    "ca-file" ["configuration"]
        "a file of CA certificates cannot be read whole, or contains no certificate"
        "name a PEM file of CA certificates, every one of which can be read"
    "cancelled" ["timeout"]
        "the caller cancelled the call"
        ""
    "descriptor-limit" ["configuration"]
        "this process has as many files and connections open as its limit allows (`EMFILE`); the network and the vault are not the cause"
        "raise the limit (`ulimit -n`), or close files and connections that are not needed"
    "audit-failed" ["configuration"]
        "the line that records a secret cannot be written where `[audit]` of the policy says, so that the secret is not given out"
        "make room and let this user write there, or change `[audit]`"
    "policy-denied" ["denied"]
        "the policy of `--policy` (`VAULTLET_POLICY`), or the agent's, does not allow this secret, whether or not it exists; nobody was asked"
        "see `vaultlet policy test REFERENCE`, and have the secret allowed by an `[[allow]]`, or ask for another one"
    "policy-file" ["configuration"]
        "the file of a policy is missing, cannot be read, or has more than 1 MiB"
        "correct `--policy` (`VAULTLET_POLICY`), or the file"
    "policy-malformed" ["configuration"]
        "a policy is not the TOML that it must be: a key is not known, a value has the wrong type, or a reference names no secret"
        "correct the line that the message names; `vaultlet policy --help` shows a policy"
    "policy-untrusted" ["configuration"]
        "a policy belongs to another user, or others may write it, who could allow themselves everything"
        "make it a file of this user or of root that its owner alone may write (`chmod go-w`)"
    "process-limit" ["configuration"]
        "the system starts no further thread or process for this user or container (`EAGAIN`)"
        "raise the limit (`ulimit -u`, or `pids.max` of the container), or start fewer threads"
    "memory-limit" ["configuration"]
        "the system gives this process no more memory (`ENOMEM`)"
        "give the machine or the container more memory, or start fewer programs"
    "system-descriptors" ["configuration"]
        "all files that this machine may have open are open (`ENFILE`)"
        "end programs that hold many files open, or raise the machine's limit (`fs.file-max`)"
    "memory-file" ["configuration"]
        "a sandbox forbids the system call `memfd_create`, which the component's memory needs"
        "allow `memfd_create` in the sandbox (seccomp) of this process"
    "code-memory" ["configuration"]
        "the system lets no memory of this process become executable, which a second handle or a plugin needs"
        "allow it (`MemoryDenyWriteExecute=no` of systemd, `execmem` of SELinux), or open one handle and no plugin"
    "component-refused" ["configuration"]
        "a component given in place of the built-in one cannot be used (feature `jit`)"
        "use a component of the world `vaultlet:keyvault/provider`"
    "lend-port" ["unavailable"]
        "the port for the lent identity endpoint is not available"
        "choose another port, or none for any free port"
    "plugin-call" ["invalid-argument"]
        "a plugin has no such function, or its function takes other arguments"
        "name a function that the plugin exports, with arguments of its types, written as in WAVE"
    "plugin-limit" ["configuration"]
        "a plugin uses more memory or more secrets than it may, its result is too long, or compiling it needs too much memory"
        "open it with higher limits, or let it do less in one call"
    "plugin-not-granted" ["denied"]
        "a plugin asks for a secret that it was not granted, whether or not that secret exists"
        "grant the secret where the plugin is opened"
    "plugin-refused" ["configuration"]
        "a file opened as a plugin is not a component, or imports something that plugins are not given"
        "use a component of the world `vaultlet:keyvault/consumer`, without sockets and HTTP"
    "plugin-trapped" ["internal"]
        "a plugin trapped, or exited"
        "report it to the author of the plugin"
    // The agent.
    "agent-foreign" ["denied"]
        "a request to the agent came from a web page or through a proxy, or was meant for another host"
        "ask the agent itself, from a program on its machine, by the address that it printed"
    "agent-listen-fds" ["configuration"]
        "the sockets that the service manager has opened for the agent (`LISTEN_FDS`) cannot be used"
        "correct the socket unit: `ListenStream=` with a path, or with a port on 127.0.0.1"
    "agent-request" ["usage"]
        "a request to the agent is malformed, too large, or for a path that the agent does not have"
        "see the interface in AGENT.md"
    "agent-socket" ["conflict"]
        "the agent cannot serve at its socket or port: another agent serves there, something else is there, or the folder does not exist"
        "see the message; choose another place by `--socket` or `--http`"
    "agent-token" ["denied"]
        "a request to the agent's port does not have the agent's token, or has a wrong one"
        "set `VAULTLET_AGENT_TOKEN_FILE` to the agent's token file"
    "agent-token-file" ["configuration"]
        "the agent's token file cannot be read, or holds no token"
        "write a long random text without spaces to the file"
    // The library for C and the languages built on it.
    "abi-mismatch" ["configuration"]
        "a program was compiled against a `vaultlet.h` of another release than the library"
        "use the library and the header of one release"
    "blocking-call" ["usage"]
        "a function that waits was called in a callback, which must not wait"
        "call the function that takes a callback instead, or return from the callback first"
    // The program.
    "bundle-exists" ["conflict"]
        "the file for a ticket (`vaultlet doctor --bundle`) exists already; it is not replaced"
        "name a new file, or remove the old one"
    "command-not-executable" ["denied"] exit 126
        "the command after `--` cannot be executed"
        "make it executable"
    "command-not-found" ["not-found"] exit 127
        "the command after `--` does not exist"
        "check its name and `PATH`"
    "job-file" ["configuration"]
        "an Azure ML job file cannot be read, is malformed, or has a member that `az ml job create` refuses"
        "correct the line that the message names; `vaultlet job check FILE` lists all of them"
    "job-output" ["configuration"]
        "the folder of an output of a job cannot be made"
        "give the output a path that can be written to, by `--set outputs.NAME.path=FOLDER`"
    "job-port" ["unavailable"]
        "there is no port on 127.0.0.1 by which the processes of a job find each other"
        "let this process open ports on 127.0.0.1"
    "job-unsupported" ["configuration"]
        "an Azure ML job needs what only the service has: another type of job, several nodes, or data in the cloud"
        "see the message: change it for this run by `--set PATH=VALUE`, or submit the job to the service"
    "policy-exists" ["conflict"]
        "the file for a policy (`vaultlet policy init`) exists already; it is not replaced"
        "name a new file, or remove the old one"
    "output-failed" ["unavailable"]
        "the answer could not be written to standard output, or to the file that it was to be written to"
        "check the program or file that reads the output"
    // The local Azure.
    "demo-failed" ["internal"]
        "a step of `vaultlet demo` did not have the expected result"
        "report it with this message"
    "dev-certificate" ["internal"]
        "`vaultlet dev` cannot make its certificates"
        "report it with this message"
    "dev-secret-name" ["usage", "configuration"]
        "a secret for `vaultlet dev` has a name that Key Vault does not allow"
        "choose a name of 1 to 127 letters, digits and hyphens"
    "dev-seed" ["usage", "configuration"]
        "a secret for `vaultlet dev` is malformed"
        "write NAME=VALUE, within the limits of Key Vault"
    "dev-system" ["unavailable"]
        "`vaultlet dev` cannot get a port, folder or thread from the system"
        "see the message, and check the system's limits"
    "dev-vault-name" ["usage", "configuration"]
        "a vault for `vaultlet dev` has a name that Key Vault does not allow"
        "choose a name of 3 to 24 letters, digits and hyphens"
    "seed-file" ["invalid-argument"]
        "`vaultlet dev` cannot read a file of secrets"
        "write a JSON object, or lines NAME=VALUE"
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const HEAD: &str = "\
# Error ids

An error of `vaultlet`, or of a library built on it, has a stable id: the word in parentheses at the end of the line. This page
explains every id; `vaultlet explain ID` prints the same text, offline. The kind says what to do next in general, and decides
the exit code of the program.

This page is generated from the program's tables: `VAULTLET_BLESS=1 cargo test -p vaultlet-cli` writes it.
";

    #[test]
    fn ids_are_distinct_and_their_texts_are_one_line() {
        let names: BTreeSet<_> = all().map(|entry| entry.id).collect();
        assert_eq!(names.len(), all().count());
        for Entry { id, kinds, meaning, remedy, .. } in all() {
            assert!(kinds.iter().all(|kind| KINDS.contains(&[*kind].as_slice())), "{id}");
            assert!(!kinds.is_empty() && !meaning.is_empty(), "{id}");
            for text in [meaning, remedy] {
                assert!(!text.contains('\n') && !text.ends_with('.'), "{id}: {text}");
                assert!(!text.starts_with(char::is_uppercase), "{id}: {text}");
            }
        }
    }

    /// Compares the page with the tables; with `VAULTLET_BLESS=1` the page is written instead.
    #[test]
    fn the_page_equals_the_tables() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ERRORS.md");
        let entries = all().map(|entry| format!("\n## {}\n\n{}", entry.id, entry.text()));
        let page: String = [HEAD.to_owned()].into_iter().chain(entries).collect();
        if std::env::var_os("VAULTLET_BLESS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(found == page, "ERRORS.md differs; VAULTLET_BLESS=1 writes it");
    }
}
