//! What a plan names is granted to the broker, exactly that, and to no other role: files, programs,
//! keys, a line for a person.

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
    // Names without a link in them, as plans have them.
    let path = fs::canonicalize(folder.path()).unwrap().to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn a_planned_file_is_read_anew_each_time_and_no_other_exists() {
    let (_folder, at) = folder();
    let file = format!("{at}/token");
    let prober = Prober::new(&format!("file {file}"));
    assert_eq!(prober.broker(&format!("read={file}")), NO_ENTRY, "it is not there yet");
    fs::write(&file, TOKEN).unwrap();
    assert_eq!(prober.broker(&format!("read={file}")), TOKEN);
    // As a cluster replaces its tokens: by a link to another folder.
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
fn of_a_folder_what_is_directly_in_it_is_read() {
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
fn a_file_is_read_up_to_its_limit_and_a_pipe_keeps_nobody_waiting() {
    let (_folder, at) = folder();
    let (long, full, pipe) = (format!("{at}/long"), format!("{at}/full"), format!("{at}/pipe"));
    fs::write(&long, "x".repeat((64 << 10) + 1)).unwrap();
    fs::write(&full, "x".repeat(64 << 10)).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let prober = Prober::new(&format!("file {long}\nfile {full}\nfile {pipe}"));
    assert_eq!(prober.broker(&format!("read={long}")), "file-too-large");
    // As much of it as the prober's answer, which is read up to its own limit.
    assert_eq!(prober.broker(&format!("read={full}")).len(), 64 << 10);
    assert_eq!(prober.broker(&format!("read={pipe}")), "invalid");
}

#[test]
fn the_user_s_token_is_a_file_without_a_place() {
    let builder = Vaultlet::builder().user_assertion(TOKEN);
    let prober = Prober::open("file -", &[], builder.clone());
    assert_eq!(prober.broker("read=-"), TOKEN);
    assert_eq!(prober.vault("read=-"), NOT_PERMITTED);
    assert_eq!(Prober::open("tells", &[], builder).broker("read=-"), NOT_PERMITTED);
    assert_eq!(Prober::new("file -").broker("read=-"), NO_ENTRY);
}

/// A program that tells all that it has.
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
fn a_planned_program_is_run_as_planned() {
    let (_folder, at) = folder();
    tool(&at, "tool", TOOL);
    fs::write(format!("{at}/notes"), "no program").unwrap();
    let path = format!("{at}:/usr/bin:/bin");
    let plan = "program login tool account --resource~{resource} --tenant~{tenant} SCOPE={scope} FIXED=1\n\
                program absent no-such-tool\n\
                program notes notes";
    let prober = Prober::open(plan, &[("PATH", &path), ("MINE", "yes")], Vaultlet::builder());
    let run = |what: &str| prober.broker(&format!("get=http://programs.vaultlet.internal/{what}"));
    let told = run("login?resource=https%3A%2F%2Fx%20y&scope=%24(id)%3B%20true");
    let (head, body) = told.split_once('\n').unwrap();
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
fn a_program_that_says_too_much_is_ended() {
    let (_folder, at) = folder();
    tool(&at, "tool", "#!/bin/sh\nexec cat /dev/zero\n");
    let path = format!("{at}:/usr/bin:/bin");
    let prober = Prober::open("program login tool", &[("PATH", &path)], Vaultlet::builder());
    let told = prober.broker("get=http://programs.vaultlet.internal/login");
    assert_eq!(told, "502\nrunning `tool`: it said more than 65536 bytes");
}

/// Takes the ten seconds that a program has.
#[test]
fn a_program_that_takes_too_long_is_ended_with_all_that_it_started() {
    let (_folder, at) = folder();
    tool(&at, "tool", &format!("#!/bin/sh\nsleep 1000 &\necho $! >{at}/pid\nwait\n"));
    let path = format!("{at}:/usr/bin:/bin");
    let prober = Prober::open("program login tool", &[("PATH", &path)], Vaultlet::builder());
    let told = prober.broker("get=http://programs.vaultlet.internal/login");
    assert_eq!(told, "504\nrunning `tool`: it did not end within 10 s");
    let pid = fs::read_to_string(format!("{at}/pid")).unwrap();
    // Killed; its new parent may take a moment to see it.
    let gone = || {
        let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        state.map_or(true, |state| state.contains(") Z "))
    };
    while !gone() {
        std::thread::yield_now();
    }
}

#[test]
fn what_a_program_leaves_running_keeps_nobody_waiting() {
    let (_folder, at) = folder();
    tool(&at, "tool", &format!("#!/bin/sh\nsleep 1000 &\necho $! >{at}/pid\necho told\n"));
    let path = format!("{at}:/usr/bin:/bin");
    let prober = Prober::open("program login tool", &[("PATH", &path)], Vaultlet::builder());
    let told = prober.broker("get=http://programs.vaultlet.internal/login");
    assert_eq!(told, "200 vaultlet-exit-status=0 vaultlet-stdout-length=5\ntold\n");
    let pid = fs::read_to_string(format!("{at}/pid")).unwrap();
    assert!(std::process::Command::new("kill").arg(pid.trim()).status().unwrap().success());
}

#[test]
fn a_person_is_told_where_there_is_one() {
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
    assert_eq!(Prober::new("tells").broker("tell=x"), closed, "nobody hears");
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[test]
fn the_password_of_a_key_is_in_no_environment() {
    let variables = [("PROBER_PASSWORD", PASSWORD)];
    let with = |plan| Prober::open(plan, &variables, Vaultlet::builder());
    assert_eq!(with("tells").broker("env=PROBER_PASSWORD"), PASSWORD, "a variable as any other");
    let prober = with("key client /nothing PROBER_PASSWORD");
    for role in [Prober::broker, Prober::vault, Prober::planner] {
        assert_eq!(role(&prober, "env=PROBER_PASSWORD"), "unset");
    }
    let told = prober.broker("get=http://keys.vaultlet.internal/client");
    assert_eq!(told, "404\n/nothing: there is no such file");
    for (role, name) in [(Prober::broker as fn(&_, &_) -> _, "other"), (Prober::vault, "client")] {
        let told = role(&prober, &format!("get=http://keys.vaultlet.internal/{name}"));
        assert!(told.starts_with(DENIED), "{name}: {told}");
    }
}

/// The component itself, not the prober: a developer's login, by what a program of that name says.
#[test]
fn a_login_of_the_developer_s_is_asked_by_its_program() {
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
    let arguments = fs::read_to_string(format!("{at}/arguments")).unwrap();
    assert_eq!(
        arguments,
        "account get-access-token --output json --resource https://vault.azure.net\n"
    );
    let whoami = run(&["whoami", "--identity", "azure-cli", "-o", "json"], &path);
    assert!(whoami.stdout.contains("\"source\":\"azure-cli\""), "{whoami:?}");
    whoami.reveals_none_of(&[ACCESS], true);
    let absent = run(&arguments, "/nowhere");
    assert_eq!(absent.code, 79, "{}", absent.stderr);
    assert!(absent.stderr.contains("`az` is not in `PATH`"), "{}", absent.stderr);
}

/// The file that a variable names: missing, then there.
#[test]
fn a_federated_token_s_file_is_read_by_the_component() {
    let (_folder, at) = folder();
    let run = |file: &str| {
        Run::vaultlet(["whoami", "--identity", "workload-identity", "-o", "json"])
            .environment([
                ("AZURE_FEDERATED_TOKEN_FILE", file),
                ("AZURE_TENANT_ID", "11111111-1111-4111-8111-111111111111"),
                ("AZURE_CLIENT_ID", "22222222-2222-4222-8222-222222222222"),
                // Nobody listens there: what counts is how far it comes.
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
