//! `azure-ai-ml` reads the files of the page about jobs and of `tests/jobs`: it accepts what `vaultlet job` accepts, and
//! both make the same command of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use vaultlet_tests::{Run, root, succeeds, vaultlet};

use crate::install::python;

/// The lines around a command that print it.
const PRINT: (&str, &str) = ("cat <<'VAULTLET-END'\n", "\nVAULTLET-END");

#[test]
fn azure_ai_ml_accepts_the_jobs_that_run_here() {
    let Some(python) = python() else { return };
    let all: Vec<_> = ["good", "bad"].into_iter().flat_map(files).collect();
    let (page, place) = page();
    let made = read(&python, &[&all[..], &page].concat(), &[]);
    for path in &all {
        let text = fs::read_to_string(path).unwrap();
        let is_good = path.parent().unwrap().ends_with("good");
        let found = &made[path.to_str().unwrap()];
        let is_accepted = is_good || text.contains("# az: takes it");
        assert_eq!(found.get("refused").is_none(), is_accepted, "{}: {found}", path.display());
        // Parts that may be missing are the service's to take out, and processes would print their command each.
        if is_good && text.contains("# out: ") && !text.contains("$[[") {
            prints_the_command(path, found);
        }
    }
    assert!(page.len() >= 2, "{}", page.len());
    for path in &page {
        let found = &made[path.to_str().unwrap()];
        assert_eq!(found["type"], "command", "{}: {found}", path.display());
        let seeds = ["db-password=x", "hub-token=x"].map(|seed| format!("--seed={seed}"));
        let ended = Run::program("env")
            .arguments(["-C", place.path().to_str().unwrap(), vaultlet().to_str().unwrap()])
            .arguments(["job", "run", path.to_str().unwrap(), "--dev"])
            .arguments(seeds)
            .end();
        let has_ranks = fs::read_to_string(path).unwrap().contains("\ndistribution:");
        let count = if has_ranks { 2 } else { 1 };
        assert_eq!((ended.code, ended.stdout.lines().count()), (0, count), "{ended:?}");
    }
}

#[test]
fn azure_ai_ml_accepts_the_compute_of_the_page() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let computes = blocks().into_iter().filter(|it| it.contains("type: amlcompute"));
    let path = folder.path().join("compute.yml");
    fs::write(&path, computes.collect::<String>()).unwrap();
    let made = read(&python, &[], std::slice::from_ref(&path));
    assert_eq!(made[path.to_str().unwrap()]["type"], "amlcompute", "{made}");
    // The name of the wheel is that of `host/package`, and pip takes it.
    let line =
        blocks().into_iter().find_map(|it| Some(it.split_once("- vaultlet @ ")?.1.to_owned()));
    let line = format!("vaultlet @ {}", line.unwrap().lines().next().unwrap());
    let check = "import sys; from packaging.requirements import Requirement as R; \
        from packaging.utils import parse_wheel_filename as p; p(R(sys.argv[1]).url.split('/')[-1])";
    succeeds(Command::new(&python).args(["-c", check, &line]));
}

/// Compares the command that `azure-ai-ml` sends with the one that runs here.
fn prints_the_command(path: &Path, found: &Value) {
    let place = tempfile::tempdir().unwrap();
    let (raw, command) = (found["raw"].as_str().unwrap(), found["command"].as_str().unwrap());
    let ended = Run::program("env")
        .arguments(["-C", place.path().to_str().unwrap(), vaultlet().to_str().unwrap()])
        .arguments(["job", "run", path.to_str().unwrap(), "--set"])
        .arguments([format!("command={}{raw}{}", PRINT.0, PRINT.1)])
        // References would be read, and are of no matter here.
        .arguments(["--dev", "--seed=db-password=x"])
        .end();
    let outputs = format!("{}/outputs/", place.path().canonicalize().unwrap().display());
    let expected = command.replace("<model>", &format!("{outputs}model"));
    let expected = expected.replace("<report>", &format!("{outputs}report"));
    let expected = expected.replace("<plain>", &format!("{outputs}plain"));
    assert_eq!(
        ended.stdout.trim_end(),
        expected.trim_end(),
        "{}: {}",
        path.display(),
        ended.stderr
    );
}

/// The YAML blocks of the page.
fn blocks() -> Vec<String> {
    let pages = ["host/cli/JOBS.md", "host/kubernetes/README.md"];
    let pages = pages.map(|page| fs::read_to_string(root().join(page)).unwrap());
    let blocks = pages.iter().flat_map(|page| page.split("\n```yaml").skip(1));
    let text = |block: &str| Some(block.split_once('\n')?.1.split_once("\n```")?.0.to_owned());
    blocks.map(|block| text(block).unwrap()).collect()
}

/// The jobs of the page as files, in a folder that has what they name.
fn page() -> (Vec<PathBuf>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("src");
    fs::create_dir(&code).unwrap();
    fs::write(code.join("train.py"), "import os\nprint(len(os.environ))\n").unwrap();
    std::os::unix::fs::symlink(vaultlet(), code.join("vaultlet")).unwrap();
    let jobs = blocks().into_iter().filter(|it| it.contains("type: command\n"));
    let file = |(at, text): (usize, String)| {
        let path = folder.path().join(format!("job-{at}.yml"));
        // `python` is not everywhere.
        fs::write(&path, text.replace("python train", "python3 train")).unwrap();
        path
    };
    let files = jobs.enumerate().map(file).collect();
    (files, folder)
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = root().canonicalize().unwrap().join("tests/jobs").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|it| it.extension().is_some_and(|it| it == "yml")).collect()
}

/// What `azure-ai-ml` makes of the files, by their paths.
fn read(python: &Path, jobs: &[PathBuf], computes: &[PathBuf]) -> Value {
    let program = root().join("tests/peers/python/jobs.py");
    let mut command = Command::new(python);
    command.arg(program).args(jobs).arg("--compute").args(computes);
    serde_json::from_str(&succeeds(&mut command).stdout).unwrap()
}
