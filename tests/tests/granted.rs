//! Grants: the broker may use exactly the files, programs, keys and prompts that its plan names, and
//! no other role may.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use vaultlet_host::Vaultlet;
use vaultlet_tests::Run;
use vaultlet_tests::prober::Prober;

const NOT_PERMITTED: &str = "not-permitted";
const NO_ENTRY: &str = "no-entry";
const DENIED: &str = "ErrorCode::HttpRequestDenied";
const TOKEN: &str = "federated-token-of-granted";
const PASSWORD: &str = "password-of-granted";

fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    // Plans name paths without symbolic links.
    let path = fs::canonicalize(folder.path()).unwrap().to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn a_planned_file_is_read_each_time_and_other_files_are_hidden() {
    let (_folder, at) = folder();
    let file = format!("{at}/token");
    let prober = Prober::new(&format!("file {file}"));
    assert_eq!(prober.broker(&format!("read={file}")), NO_ENTRY, "the file does not exist yet");
    fs::write(&file, TOKEN).unwrap();
    assert_eq!(prober.broker(&format!("read={file}")), TOKEN);
    // Kubernetes replaces a projected token by pointing a link at another folder.
    fs::create_dir(format!("{at}/..data")).unwrap();
    fs::write(format!("{at}/..data/token"), "another").unwrap();
    fs::remove_file(&file).unwrap();
    symlink(format!("{at}/..data/token"), &file).unwrap();
    assert_eq!(prober.broker(&format!("read={file}")), "another");
    let other = format!("{at}/other");
    fs::write(&other, "not planned").unwrap();
    for path in [
        other.as_str(),
        &format!("{at}/nothing"),
        &format!("{file}/"),
        &format!("{at}/./token"),
        &format!("{at}/../{}/token", at.rsplit('/').next().unwrap()),
        &format!("{at}/..data/token"),
        at.trim_start_matches('/'),
        &at,
        "/etc/passwd",
        "/proc/self/environ",
        "/",
        "-",
        "Cargo.toml",
    ] {
        assert_eq!(prober.broker(&format!("read={path}")), NOT_PERMITTED, "{path}");
        assert_eq!(prober.broker(&format!("write={path}")), NOT_PERMITTED, "{path}");
    }
    assert_eq!(prober.broker(&format!("write={file}")), NOT_PERMITTED);
    for role in [Prober::vault, Prober::planner] {
        assert_eq!(role(&prober, &format!("read={file}")), NOT_PERMITTED);
    }
    assert!(!Path::new(&format!("{at}/nothing")).exists());
}

#[test]
fn only_files_directly_in_a_planned_folder_are_readable() {
    let (_folder, at) = folder();
    let tokens = format!("{at}/tokens");
    fs::create_dir_all(format!("{tokens}/deeper.key")).unwrap();
    for name in ["tokens/1.key", "tokens/1.txt", "outside.key", "tokens/deeper.key/2.key"] {
        fs::write(format!("{at}/{name}"), name).unwrap();
    }
    symlink(format!("{at}/outside.key"), format!("{tokens}/link.key")).unwrap();
    symlink(format!("{tokens}/1.key"), format!("{tokens}/inside.key")).unwrap();
    let prober = Prober::new(&format!("folder {tokens} .key"));
    for (path, expected) in [
        ("tokens/1.key", "tokens/1.key"),
        ("tokens/inside.key", "tokens/1.key"),
        ("tokens/3.key", NO_ENTRY),
        ("tokens/deeper.key", "invalid"),
        ("tokens/link.key", "access"),
        ("tokens/1.txt", NOT_PERMITTED),
        ("tokens/deeper.key/2.key", NOT_PERMITTED),
        ("tokens/../outside.key", NOT_PERMITTED),
        ("outside.key", NOT_PERMITTED),
        ("tokens", NOT_PERMITTED),
        ("tokens/", NOT_PERMITTED),
    ] {
        assert_eq!(prober.broker(&format!("read={at}/{path}")), expected, "{path}");
    }
}

#[test]
fn a_file_has_a_size_limit_and_a_pipe_does_not_block() {
    let (_folder, at) = folder();
    let (long, full, pipe) = (format!("{at}/long"), format!("{at}/full"), format!("{at}/pipe"));
    fs::write(&long, "x".repeat((64 << 10) + 1)).unwrap();
    fs::write(&full, "x".repeat(64 << 10)).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let prober = Prober::new(&format!("file {long}\nfile {full}\nfile {pipe}"));
    assert_eq!(prober.broker(&format!("read={long}")), "file-too-large");
    // The response of the prober has a limit of its own.
    assert_eq!(prober.broker(&format!("read={full}")).len(), 64 << 10);
    assert_eq!(prober.broker(&format!("read={pipe}")), "invalid");
}

#[test]
fn the_user_token_is_readable_as_a_file_without_a_path() {
    let builder = Vaultlet::builder().user_assertion(TOKEN);
    let prober = Prober::open("file -", &[], builder.clone());
    assert_eq!(prober.broker("read=-"), TOKEN);
    assert_eq!(prober.vault("read=-"), NOT_PERMITTED);
    assert_eq!(Prober::open("tells", &[], builder).broker("read=-"), NOT_PERMITTED);
    assert_eq!(Prober::new("file -").broker("read=-"), NO_ENTRY);
}

/// A shell script that prints its arguments, working directory, input and variables.
const TOOL: &str = r#"#!/bin/sh
printf 'arguments:'; printf ' <%s>' "$@"
printf '\nat: %s\ninput: %s\n' "$(pwd)" "$(cat)"
env | sort | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=
echo 'on stderr' >&2
exit 7
"#;

fn tool(at: &str, name: &str, text: &str) {
    let file = format!("{at}/{name}");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_planned_program_runs_with_planned_arguments_and_variables() {
    let (_folder, at) = folder();
    tool(&at, "tool", TOOL);
    fs::write(format!("{at}/notes"), "no program").unwrap();
    let path = format!("{at}:/usr/bin:/bin");
    let plan = "program login tool account --resource~{resource} --tenant~{tenant} SCOPE={scope} FIXED=1\n\
                program absent no-such-tool\n\
                program notes notes";
    let prober = Prober::open(plan, &[("PATH", &path), ("MINE", "yes")], Vaultlet::builder());
    let run = |what: &str| prober.broker(&format!("get=http://programs.vaultlet.internal/{what}"));
    let result = run("login?resource=https%3A%2F%2Fx%20y&scope=%24(id)%3B%20true");
    let (head, body) = result.split_once('\n').unwrap();
    let stdout = body.strip_suffix("on stderr\n").unwrap();
    let (status, length) = head.rsplit_once(' ').unwrap();
    assert_eq!(status, "200 vaultlet-exit-status=7");
    assert_eq!(length, format!("vaultlet-stdout-length={}", stdout.len()));
    let expected = format!(
        "arguments: <account> <--resource> <https://x y>\nat: /\ninput: \n\
         FIXED=1\nMINE=yes\nPATH={path}\nPROBER_PLAN=",
    );
    assert!(stdout.starts_with(&expected), "{stdout}");
    assert!(stdout.contains("\nSCOPE=$(id); true\n"), "{stdout}");
    assert!(run("login?tenant=x").contains("<account> <--tenant> <x>\n"));
    for (what, expected) in [
        ("absent", "404\nrunning `no-such-tool`: it is not in `PATH`"),
        ("notes", "404\nrunning `notes`: it is not in `PATH`"),
        ("login?tenant=-x", "502\nrunning `tool`: a value"),
        ("login?tenant=%0A", "502\nrunning `tool`: a value"),
        ("tool", DENIED),
        ("", DENIED),
        ("login/x", DENIED),
    ] {
        assert!(run(what).starts_with(expected), "{what}: {}", run(what));
    }
    let address = "get=http://programs.vaultlet.internal/login";
    assert!(prober.vault(address).starts_with(DENIED));
    assert!(prober.planner(address).starts_with(DENIED));
    for other in
        ["https://programs.vaultlet.internal/login", "http://programs.vaultlet.internal:81/login"]
    {
        assert!(prober.broker(&format!("get={other}")).starts_with(DENIED), "{other}");
    }
}

#[test]
fn a_program_with_too_much_output_is_killed() {
    let (_folder, at) = folder();
    tool(&at, "tool", "#!/bin/sh\nexec cat /dev/zero\n");
    let path = format!("{at}:/usr/bin:/bin");
    let prober = Prober::open("program login tool", &[("PATH", &path)], Vaultlet::builder());
    let result = prober.broker("get=http://programs.vaultlet.internal/login");
    assert_eq!(result, "502\nrunning `tool`: it said more than 65536 bytes");
}

/// This test takes the ten seconds that a program may run.
#[test]
fn a_program_that_exceeds_its_timeout_is_killed_with_its_children() {
    let (_folder, at) = folder();
    tool(&at, "tool", &format!("#!/bin/sh\nsleep 1000 &\necho $! >{at}/pid\nwait\n"));
    let path = format!("{at}:/usr/bin:/bin");
    let prober = Prober::open("program login tool", &[("PATH", &path)], Vaultlet::builder());
    let result = prober.broker("get=http://programs.vaultlet.internal/login");
    assert_eq!(result, "504\nrunning `tool`: it did not end within 10 s");
    let pid = fs::read_to_string(format!("{at}/pid")).unwrap();
    // The child was killed, but its new parent may take a moment to reap it.
    let gone = || {
        let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        state.map_or(true, |state| state.contains(") Z "))
    };
    while !gone() {
        std::thread::yield_now();
    }
}

#[test]
fn a_background_process_of_a_program_does_not_delay_its_result() {
    let (_folder, at) = folder();
    tool(&at, "tool", &format!("#!/bin/sh\nsleep 1000 &\necho $! >{at}/pid\necho hello\n"));
    let path = format!("{at}:/usr/bin:/bin");
    let prober = Prober::open("program login tool", &[("PATH", &path)], Vaultlet::builder());
    let result = prober.broker("get=http://programs.vaultlet.internal/login");
    assert_eq!(result, "200 vaultlet-exit-status=0 vaultlet-stdout-length=6\nhello\n");
    let pid = fs::read_to_string(format!("{at}/pid")).unwrap();
    assert!(std::process::Command::new("kill").arg(pid.trim()).status().unwrap().success());
}

#[test]
fn a_prompt_is_shown_only_where_a_person_can_read_it() {
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let builder = || {
        let heard = Arc::clone(&heard);
        Vaultlet::builder().on_prompt(move |line| heard.lock().unwrap().push(line.to_owned()))
    };
    let prober = Prober::open("tells", &[], builder());
    assert_eq!(prober.broker("tell=enter-the-code%1B[2J"), "heard");
    assert_eq!(*heard.lock().unwrap(), ["enter-the-code[2J"]);
    let closed = "StreamError::Closed";
    assert_eq!(prober.vault("tell=x"), closed);
    assert_eq!(prober.planner("tell=x"), closed);
    assert_eq!(Prober::open("file /x", &[], builder()).broker("tell=x"), closed, "not planned");
    assert_eq!(Prober::new("tells").broker("tell=x"), closed, "no listener");
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[test]
fn the_password_of_a_key_is_hidden_from_every_role() {
    let variables = [("PROBER_PASSWORD", PASSWORD)];
    let with = |plan| Prober::open(plan, &variables, Vaultlet::builder());
    assert_eq!(
        with("tells").broker("env=PROBER_PASSWORD"),
        PASSWORD,
        "without a key, the variable is an ordinary one"
    );
    let prober = with("key client /nothing PROBER_PASSWORD");
    for role in [Prober::broker, Prober::vault, Prober::planner] {
        assert_eq!(role(&prober, "env=PROBER_PASSWORD"), "unset");
    }
    let result = prober.broker("get=http://keys.vaultlet.internal/client");
    assert_eq!(result, "404\n/nothing: there is no such file");
    for (role, name) in [(Prober::broker as fn(&_, &_) -> _, "other"), (Prober::vault, "client")] {
        let result = role(&prober, &format!("get=http://keys.vaultlet.internal/{name}"));
        assert!(result.starts_with(DENIED), "{name}: {result}");
    }
}

/// The real component, not the prober: the token of a developer's login, from a program named `az`.
#[test]
fn a_developer_login_provides_a_token_through_its_program() {
    const ACCESS: &str = "eyJ.access-token.of-granted";
    let (_folder, at) = folder();
    tool(
        &at,
        "az",
        &format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >>{at}/arguments\n\
             echo '{{\"accessToken\":\"{ACCESS}\",\"expires_on\":9999999999}}'\n"
        ),
    );
    let run = |arguments: &[&str], path: &str| {
        Run::vaultlet(arguments).environment([("PATH", path)]).end()
    };
    let path = format!("{at}:/usr/bin:/bin");
    let arguments = ["token", "--reveal", "--identity", "azure-cli", "--log", "debug"];
    let ended = run(&arguments, &path);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ACCESS), "{}", ended.stderr);
    assert!(ended.stderr.contains("ran `az`: status 0"), "{}", ended.stderr);
    ended.reveals_none_of(&[ACCESS], false);
    let received = fs::read_to_string(format!("{at}/arguments")).unwrap();
    assert_eq!(
        received,
        "account get-access-token --output json --resource https://vault.azure.net\n"
    );
    let whoami = run(&["whoami", "--identity", "azure-cli", "-o", "json"], &path);
    assert!(whoami.stdout.contains("\"source\":\"azure-cli\""), "{whoami:?}");
    whoami.reveals_none_of(&[ACCESS], true);
    let absent = run(&arguments, "/nowhere");
    assert_eq!(absent.code, 79, "{}", absent.stderr);
    assert!(absent.stderr.contains("`az` is not in `PATH`"), "{}", absent.stderr);
}

/// The component reads the file that a variable names, which is missing at first.
#[test]
fn the_component_reads_the_federated_token_file() {
    let (_folder, at) = folder();
    let run = |file: &str| {
        Run::vaultlet(["whoami", "--identity", "workload-identity", "-o", "json"])
            .environment([
                ("AZURE_FEDERATED_TOKEN_FILE", file),
                ("AZURE_TENANT_ID", "11111111-1111-4111-8111-111111111111"),
                ("AZURE_CLIENT_ID", "22222222-2222-4222-8222-222222222222"),
                // Nothing listens there; the error shows how far the component came.
                ("AZURE_AUTHORITY_HOST", "https://localhost:1"),
            ])
            .end()
    };
    let file = format!("{at}/token");
    let missing = run(&file);
    assert_eq!(missing.code, 79, "{}", missing.stderr);
    fs::write(&file, TOKEN).unwrap();
    let there = run(&file);
    assert_eq!(there.code, 69, "{}", there.stderr);
    assert!(there.stderr.contains("localhost:1"), "{}", there.stderr);
    there.reveals_none_of(&[TOKEN], true);
}
