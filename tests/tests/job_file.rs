//! `vaultlet job`: the job files of `tests/jobs` and what is wrong with them, identities, secrets, and the processes of
//! a distribution. `tests/tests/peers/jobs.rs` has the same files read by `azure-ai-ml`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use tempfile::TempDir;
use vaultlet_dev::{Local, Who};
use vaultlet_tests::{Ended, Run, root, vaultlet};

const VALUE: &str = "p4ssw0rd";
const OTHER: &str = "another-secret";

/// A local Azure whose job may act for its user.
static LOCAL: LazyLock<Local> = LazyLock::new(|| {
    Local::builder()
        .vault("my-key-vault")
        .seed("db-password", VALUE)
        .seed("of-user", OTHER)
        .grant("managed:none:of-user".parse().unwrap())
        .run_as(Who::User)
        .start()
        .unwrap()
});

/// A folder to run jobs in.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A file of the folder.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs `vaultlet` in the folder, in the local Azure.
    fn run(&self, arguments: &[&str]) -> Ended {
        self.with(arguments, LOCAL.environment())
    }

    fn with(&self, arguments: &[&str], variables: &[(String, String)]) -> Ended {
        let program = vaultlet().parent().unwrap().display().to_string();
        let path = format!("{program}:{}", std::env::var("PATH").unwrap());
        let ended = Run::program("env")
            .arguments(["-C", self.0.path().to_str().unwrap()])
            .arguments([vaultlet().to_str().unwrap()])
            .arguments(arguments)
            .environment(variables.iter().cloned())
            .environment([("PATH", path.as_str())])
            .end();
        ended.reveals_none_of(&[VALUE, OTHER], true);
        ended
    }

    /// Runs a job of one command, with more members of its file and more arguments.
    fn job(&self, command: &str, members: &str, arguments: &[&str]) -> Ended {
        let command: String = command.lines().map(|line| format!("  {line}\n")).collect();
        let file = self.file("job.yml", &format!("command: |\n{command}{members}\n"));
        self.run(&[&["job", "run", &file], arguments].concat())
    }
}

/// The files of a folder of `tests/jobs`, with the lines of their comments that begin with this word.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = root().join("tests/jobs").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|it| it.extension().is_some_and(|it| it == "yml")).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn comments<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let start = format!("# {word}: ");
    text.lines().filter_map(|line| line.trim_start().strip_prefix(&start)).collect()
}

#[test]
fn every_good_job_runs_as_the_service_would_run_it() {
    let files = files("good");
    assert!(files.len() >= 15);
    for (path, text) in files {
        let place = Place::new();
        let mut variables = LOCAL.environment().to_vec();
        // The identities of files are not those of the local Azure.
        variables.push(("VAULTLET_DEV_CONTROL".into(), LOCAL.control().into()));
        let ended = place.with(&["job", "run", path.to_str().unwrap()], &variables);
        assert_eq!(ended.code, 0, "{}: {ended:?}", path.display());
        match (comments(&text, "out")[..].first(), comments(&text, "ranks").first()) {
            (Some(out), None) => assert_eq!(ended.stdout.trim_end(), *out, "{}", path.display()),
            (None, Some(ranks)) => {
                let mut lines: Vec<_> = ended.stdout.lines().collect();
                lines.sort_unstable();
                assert_eq!(lines.join("|"), *ranks, "{}", path.display());
            }
            _ => panic!("{}: it does not say what it prints", path.display()),
        }
        let checked = place.with(&["job", "check", path.to_str().unwrap()], &variables);
        assert_eq!(checked.code, 0, "{}: {checked:?}", path.display());
        assert!(checked.stdout.contains("nothing is wrong"), "{checked:?}");
    }
}

#[test]
fn everything_that_is_wrong_is_named_with_its_place() {
    let files = files("bad");
    assert!(files.len() >= 40);
    for (path, text) in files {
        let place = Place::new();
        let (file, name) = (path.to_str().unwrap(), path.display());
        let (wrong, notes) = (comments(&text, "finding"), comments(&text, "note"));
        assert!(!wrong.is_empty() || !notes.is_empty(), "{name}");
        // A note is followed by the line that nothing is wrong.
        let count = wrong.len() + notes.len() + usize::from(wrong.is_empty());
        let code = if wrong.is_empty() { 0 } else { 78 };
        let (ran, checked) = (place.run(&["job", "run", file]), place.run(&["job", "check", file]));
        // What only the service needs is missed by `check` alone.
        let is_run = !comments(&text, "check").is_empty();
        assert_eq!(
            (ran.code, checked.code),
            (if is_run { 0 } else { 78 }, code),
            "{name}: {ran:?}"
        );
        assert_eq!(checked.stdout.lines().count(), count, "{name}: {}", checked.stdout);
        let notes = notes.into_iter().map(|it| (it, "note: "));
        for (finding, start) in wrong.into_iter().map(|it| (it, "")).chain(notes) {
            let mut words = finding.splitn(3, ' ');
            let (at, id) = (words.next().unwrap(), words.next().unwrap());
            let says = words.next().unwrap();
            let is_it = |line: &str, start: &str, at: &str| {
                line.starts_with(start)
                    && line.contains(at)
                    && line.contains(says)
                    && line.ends_with(&format!("({id})"))
            };
            let (place, message) = match at.split_once(':') {
                Some((line, column)) => {
                    (format!("{file}:{at}: {start}"), format!("line {line}, column {column}: "))
                }
                None => (format!("{file}: "), String::new()),
            };
            let mut lines = checked.stdout.lines();
            assert!(
                lines.any(|line| is_it(line, &place, "")),
                "{name}: {finding}\n{}",
                checked.stdout
            );
            let start = format!("vaultlet: reading the job `{file}`: ");
            let mut lines = ran.stderr.lines();
            let is_told = is_run || lines.any(|line| is_it(line, &start, &message));
            assert!(is_told, "{name}: {finding}\n{}", ran.stderr);
        }
        if text.contains("SENTINEL") {
            let json = ["run", "check"].map(|it| place.run(&["job", it, file, "-o", "json"]));
            for ended in json.iter().chain([&ran, &checked]) {
                ended.reveals_none_of(&["SENT", "INEL"], true);
            }
        }
    }
}

#[test]
fn arguments_that_are_wrong_are_named() {
    let place = Place::new();
    let good = place.file("good.yml", "command: echo started\nenvironment: azureml:e:1\n");
    let large = place.file("large.yml", &"# comment\n".repeat(120_000));
    let cases: &[(&[&str], i32, &str)] = &[
        (&["job", "run"], 64, "see `vaultlet job run --help`"),
        (&["job", "start"], 64, "there is no command `start`"),
        (&["job", "run", "nope.yml"], 78, "reading the job `nope.yml`: no such file"),
        (&["job", "run", "."], 78, "it is a folder"),
        (&["job", "check", &large], 78, "see the list on stdout (job-file)"),
        (&["job", "run", &large], 78, "it is larger than 1 MiB"),
        (&["job", "run", &good, "--set", "x"], 64, "`--set` takes PATH=VALUE"),
        (&["job", "run", &good, "--set", "a..b=1"], 64, "`--set a..b=…`"),
        (&["job", "run", &good, "--set", "command.a=1"], 64, "a value, and not a mapping"),
        (&["job", "run", &good, "--set", "inputs.a.path=x"], 78, "`--set`: `inputs.a.path` is `x`"),
        (&["job", "run", &good, "--set", "nope=x"], 78, "`--set`: there is no `nope`"),
        (&["job", "run", &good, "--seed", "a=b"], 64, "`--seed` is for `--dev`"),
        (&["job", "run", &good, "--dev", "--seed", "a"], 64, "(dev-seed)"),
        (&["job", "run", &good, "--as", "root"], 64, "user"),
        (&["job", "check", &good, "--dev"], 64, "`--dev`"),
    ];
    for (arguments, code, says) in cases {
        let ended = place.run(arguments);
        assert_eq!((ended.code, ended.stdout.contains("started")), (*code, false), "{arguments:?}");
        assert!(ended.stderr.contains(says), "{arguments:?}: {}", ended.stderr);
    }
    let json = place.run(&["job", "run", &good, "-o", "json", "--set", "type=sweep"]);
    let line = json.stderr.lines().last().unwrap();
    let error: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(error["error"]["id"], "job-unsupported");
}

#[test]
fn a_change_is_made_as_az_makes_it() {
    let place = Place::new();
    fs::create_dir(place.0.path().join("folder")).unwrap();
    let members = "inputs: {a: 1}\nresources: {instance_count: 8}";
    let one = "resources.instance_count=1";
    for (command, set, out) in [
        ("echo ${{inputs.a}}", &["inputs.a=two words=2"][..], "two words=2"),
        ("echo ${{inputs.a}}", &["inputs.a=true"], "true"),
        ("echo ${{inputs.b}}", &["inputs.b=", "name=x"], ""),
        ("echo ${{inputs.d}} | grep -o '[^/]*$'", &["inputs.d.path=folder"], "folder"),
        (
            "echo $RANK",
            &["distribution.type=pytorch", "distribution.process_count_per_instance=1"],
            "0",
        ),
        ("echo $X", &["environment_variables.X=a.b"], "a.b"),
    ] {
        let set = set.iter().chain(&[one]).flat_map(|it| ["--set", it]).collect::<Vec<_>>();
        let ended = place.job(command, members, &set);
        assert_eq!((ended.code, ended.stdout.trim_end()), (0, out), "{set:?}: {}", ended.stderr);
    }
}

#[test]
fn the_identity_is_the_one_that_the_file_or_the_flag_names() {
    let place = Place::new();
    let variables = |identity: &str| {
        format!(
            "identity: {{type: {identity}}}\nenvironment_variables: {{A: akv://my-key-vault/of-user}}"
        )
    };
    // The secret is the user's alone.
    for (identity, arguments, code) in [
        ("user_identity", &[][..], 0),
        ("managed", &[], 77),
        ("aml_token", &[], 77),
        ("managed", &["--as", "user"], 0),
        ("user_identity", &["--as", "managed"], 77),
        ("managed", &["--identity", "obo"], 0),
    ] {
        let ended = place.job("echo ${OBO_ENDPOINT+user}", &variables(identity), arguments);
        assert_eq!(ended.code, code, "{identity} {arguments:?}: {}", ended.stderr);
        let is_user =
            arguments.first().map_or(identity == "user_identity", |_| arguments[1] == "user");
        if code == 0 {
            assert_eq!(ended.stdout.trim() == "user", is_user, "{identity} {arguments:?}");
        } else {
            assert!(ended.stderr.contains("vaultlet: A: reading"), "{}", ended.stderr);
        }
    }
    // An identity that this machine does not have.
    let members = "identity: {type: managed, client_id: 11111111-2222-3333-4444-555555555555}\n\
        environment_variables: {A: akv://my-key-vault/db-password}";
    let ended = place.job("echo $DEFAULT_IDENTITY_CLIENT_ID", members, &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (79, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("(from `identity.client_id`)"), "{}", ended.stderr);
    let named = members.replace("db-password", "nope?optional");
    let ended = place.job("echo $DEFAULT_IDENTITY_CLIENT_ID", &named.replace("akv:", "x:"), &[]);
    assert_eq!(ended.stdout.trim(), "11111111-2222-3333-4444-555555555555", "{}", ended.stderr);
    // Nothing is here.
    let file = place.file("user.yml", &format!("command: echo\n{}", variables("user_identity")));
    let ended = place.with(&["job", "run", &file, "--exclude", "azure-cli"], &[]);
    assert_eq!(ended.code, 79, "{}", ended.stderr);
    let ended = place.with(&["job", "run", &file], &[]);
    assert_eq!(ended.code, 79, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("the job runs on behalf of its user; `--as`"),
        "{}",
        ended.stderr
    );
}

#[test]
fn secrets_are_given_as_by_run_and_stand_in_no_command_line() {
    let place = Place::new();
    let seeds = place.file("seeds.env", &format!("db-password={VALUE}\n"));
    let command = "cat \"$FILE\"; echo; cat \"$FD\"; echo; echo $PLAIN ${GONE-unset} ${#GOT}\n\
        cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' > ${{outputs.seen}}/cmdline";
    let members = "environment_variables:\n  FILE: akv://my-vault/db-password?as=file\n  \
        FD: akv://my-vault/db-password?as=fd\n  PLAIN: akv://my-vault/nope?default=plain\n  \
        GONE: akv://my-vault/nope?optional\n  GOT: akv://my-vault/db-password\n\
        outputs: {seen: }\nidentity: {type: user_identity}";
    let ended = place.job(command, members, &["--dev", "--seed-file", &seeds]);
    assert_eq!(ended.stdout, "<FD>\n<FD>\nplain unset 8\n", "{}", ended.stderr);
    let seen = fs::read_to_string(place.0.path().join("outputs/seen/cmdline")).unwrap();
    assert!(seen.contains("/bin/bash\n-c\n") || seen.contains("/bin/sh\n-c\n"), "{seen}");
    assert!(
        !seen.contains(VALUE) && !seen.contains("seeds.env\n--"),
        "a secret is in a command line"
    );
    // A seed that the user typed is in the user's command line alone.
    let seed = format!("--seed=db-password={VALUE}");
    let ended = place.job(command, members, &["--dev", &seed, "--vault=other"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let seen = fs::read_to_string(place.0.path().join("outputs/seen/cmdline")).unwrap();
    // The one of `env`, which becomes the program, and no other.
    assert_eq!(seen.matches(VALUE).count(), 1);
    let gone = place.job("echo started", members, &["--dev"]);
    assert_eq!((gone.code, gone.stdout.as_str()), (66, ""));
    assert_eq!(gone.stderr.lines().filter(|it| it.starts_with("vaultlet: F")).count(), 2);
}

#[test]
fn the_exit_code_is_the_commands_and_the_first_failed_process_ends_the_others() {
    let place = Place::new();
    for (command, code) in [("true", 0), ("exit 3", 3), ("kill -TERM $$", 143), ("nope-nope", 127)]
    {
        assert_eq!(place.job(command, "", &[]).code, code, "{command}");
    }
    // The others wait for ever, each in its own way.
    let members = "distribution: {type: pytorch, process_count_per_instance: 3}\n\
        environment_variables: {A: akv://my-key-vault/db-password}";
    let command = "trap 'echo ended $RANK $A; exit 9' TERM\n\
        if [ $RANK = 1 ]; then while [ ! -e 0 ] || [ ! -e 2 ]; do sleep 0.01; done; exit 5; fi\n\
        touch $RANK; while :; do sleep 0.01; done";
    let started = Instant::now();
    let ended = place.job(command, members, &[]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    let mut lines: Vec<_> = ended.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["ended 0 <A>", "ended 2 <A>"]);
    assert!(
        ended.stderr.contains("vaultlet: process 1 has ended with 5; the others are ended now")
    );
    assert!(started.elapsed().as_secs() < 25);
    // When all were asked to end, one that is ready does not hurry the others.
    let command = "n=0; trap 'n=$((n+1)); [ $RANK = 1 ] || exit 3' TERM; echo $$ >pid-$RANK\n\
        if [ $RANK = 0 ]; then while [ ! -s pid-1 ] || [ ! -s pid-2 ]; do sleep 0.01; done; kill -TERM $PPID; fi\n\
        while [ $n = 0 ] || kill -0 $(cat pid-0) 2>&1; do sleep 0.01; done >&2\n\
        sleep 0.01; sleep 0.01; sleep 0.01; echo $n";
    let ended = place.job(command, members, &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, "1\n"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("are ended now"), "{}", ended.stderr);
    // Servers are ended when the workers have ended.
    let command = "case $TF_CONFIG in *'\"type\":\"ps\"'*) trap 'echo served; exit 4' TERM\n\
        touch served; while :; do sleep 0.01; done;; esac\n\
        while [ ! -e served ]; do sleep 0.01; done; echo worked";
    let served = "distribution: {type: tensorflow, worker_count: 1, parameter_server_count: 1}";
    let ended = place.job(command, served, &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "worked\nserved\n"), "{}", ended.stderr);
    // A signal reaches all of them; only the first process reads what is typed.
    let command = "trap 'echo $RANK; touch got-$RANK' USR1; touch at-$RANK\n\
        read line; test $RANK = 0 || test -z \"$line\"\n\
        [ $RANK = 0 ] && { while [ ! -e at-1 ] || [ ! -e at-2 ]; do sleep 0.01; done; kill -USR1 $PPID; }\n\
        while [ ! -e got-0 ] || [ ! -e got-1 ] || [ ! -e got-2 ]; do sleep 0.01; done; exit 7";
    let ended = place.job(command, members, &[]);
    let mut lines: Vec<_> = ended.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!((ended.code, lines), (7, vec!["0", "1", "2"]), "{}", ended.stderr);
}

#[test]
fn what_means_nothing_here_has_one_line_and_what_stands_twice_too() {
    let place = Place::new();
    let text = "$schema: x\ntype: command\ncommand: echo\ncompute: azureml:c\nexperiment_name: e\ncompute: azureml:d\n\
        environment: azureml:e:1\n";
    let file = place.file("job.yml", text);
    let ended = place.run(&["job", "run", &file]);
    let lines: Vec<_> = ended.stderr.lines().collect();
    let [first, second] = lines[..] else { panic!("{}", ended.stderr) };
    assert_eq!(first, "vaultlet job: `compute` stands in lines 4 and 6; the last one counts");
    let ignored = "`experiment_name`, `environment`, `compute`";
    assert_eq!(second, format!("vaultlet job: ignored on this machine: {ignored}"));
    assert!(!Path::new(&file).parent().unwrap().join("outputs").exists());
}
