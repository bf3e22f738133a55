//! Tests of the Go modules in the local Azure: their own tests under the race detector, the example
//! without a C compiler, and the packed modules on their own.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test helpers, which may panic"
)]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vaultlet_dev::{Local, Who};
use vaultlet_tests::agent::{has_options, runs_by_agent};
use vaultlet_tests::job::VALUE;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Run, library, root, succeeds, target, vaultlet};

#[test]
fn the_modules_pass_their_own_tests() {
    let Some(go) = Go::found("the tests of the Go modules") else { return };
    for module in ["host/go", "host/go/azure", "host/go/pack"] {
        let folder = root().join(module);
        let mut gofmt = Command::new("gofmt");
        assert_eq!(
            succeeds(gofmt.arg("-l").arg(&folder)).stdout,
            "",
            "gofmt would change these files"
        );
        succeeds(go.command(&folder).args(["vet", "./..."]));
        succeeds(go.command(&folder).args(["mod", "tidy", "-diff"]));
        let mut test = go.command(&folder);
        test.args(["test", "-race", "-count=1", "-timeout=60m", "-v", "./..."])
            .env("VAULTLET_PROGRAM", vaultlet())
            .env("VAULTLET_LIBRARY", library());
        succeeds(&mut test).reveals_none_of(&[VALUE], true);
    }
}

#[test]
fn a_job_without_cgo_gets_the_secret() {
    let Some(go) = Go::found("the job in Go") else { return };
    let folder = TempDir::new().unwrap();
    let job = folder.path().join("job");
    let mut build = go.command(&root().join("host/go"));
    build.args(["build", "-buildvcs=false", "-o"]).arg(&job).arg("./examples/job");
    succeeds(build.env("CGO_ENABLED", "0"));
    let named = [("VAULTLET_LIBRARY", library().as_os_str())];
    gets_the_secret(&job, &named);

    let by_agent = runs_by_agent(Run::program(&job).environment(named), VALUE);
    assert_eq!(by_agent.stdout.trim_end(), VALUE);

    let (source, options) = (folder.path().join("options.go"), folder.path().join("options"));
    fs::write(&source, OPTIONS).unwrap();
    let mut build = go.command(&root().join("host/go"));
    build.args(["build", "-buildvcs=false", "-o"]).arg(&options).arg(&source);
    succeeds(build.env("CGO_ENABLED", "0"));
    has_options(|| Run::program(&options).environment(named), VALUE);

    // The error is that of the command line, without the program name at the beginning.
    let local = local(Who::Managed);
    local.grant("managed:none".parse().unwrap());
    let in_the_job = |run: Run| {
        let ended = run.environment(local.environment().iter().cloned()).environment(named).end();
        ended.reveals_none_of(&[VALUE], true);
        ended
    };
    let denied = in_the_job(Run::program(&job));
    let command_line = in_the_job(Run::vaultlet(["get", "akv://my-key-vault/db-password"]));
    assert_eq!((denied.code, command_line.code), (1, 77), "{}", denied.stderr);
    let line = command_line.stderr.trim_start_matches("vaultlet: ");
    assert!(denied.stderr.ends_with(line), "{} does not end with {line}", denied.stderr);

    // The library is missing, and then beside the program.
    let missing = Run::program(&job).end();
    assert!(missing.stderr.contains("(library-missing)"), "{}", missing.stderr);
    fs::copy(library(), folder.path().join("libvaultlet.so.1")).unwrap();
    gets_the_secret(&job, &[]);
}

/// Gives the handle an option for each variable that is set.
const OPTIONS: &str = r#"
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"vaultlet.dev/go"
)

func main() {
	var options []vaultlet.Option
	for name, option := range map[string]func(string) vaultlet.Option{
		"OPTION_AGENT":            vaultlet.WithAgent,
		"OPTION_AGENT_TOKEN_FILE": vaultlet.WithAgentTokenFile,
		"OPTION_AGENT_FALLBACK":   vaultlet.WithAgentFallback,
		"OPTION_POLICY":           vaultlet.WithPolicy,
	} {
		if value, ok := os.LookupEnv(name); ok {
			options = append(options, option(value))
		}
	}
	value, err := read(options)
	var failed *vaultlet.Error
	if errors.As(err, &failed) {
		value = failed.ID
	}
	fmt.Println(value)
}

func read(options []vaultlet.Option) (string, error) {
	v, err := vaultlet.Open(options...)
	if err != nil {
		return "", err
	}
	defer v.Close()
	secret, err := v.Get(context.Background(), "akv://my-key-vault/db-password")
	if err != nil {
		return "", err
	}
	return secret.Reveal(), nil
}
"#;

/// The `go` command gets the released modules from a proxy folder into an empty cache.
#[test]
fn a_packed_module_needs_nothing_else() {
    let Some(go) = Go::found("the packed Go modules") else { return };
    let folder = TempDir::new().unwrap();
    let [proxy, modules, project] =
        ["proxy", "modules", "job"].map(|name| folder.path().join(name));
    pack(&go, &proxy);
    fs::create_dir(&project).unwrap();
    fs::copy(root().join("host/go/examples/job/main.go"), project.join("main.go")).unwrap();
    // The dependencies are in the module cache of the other tests, which has the form of a proxy.
    succeeds(go.command(&root().join("host/go/azure")).args(["mod", "download"]));
    let got = target().join("peers/go-modules/cache/download");
    let user = |arguments: &[&str]| {
        let mut command = go.command(&project);
        command
            .args(arguments)
            .env("CGO_ENABLED", "0")
            .env("GOPROXY", format!("file://{},file://{}", proxy.display(), got.display()))
            .env("GONOSUMDB", "*")
            .env("GOMODCACHE", &modules);
        succeeds(&mut command)
    };
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    user(&["mod", "init", "job"]);
    user(&["get", &format!("vaultlet.dev/go@{version}")]);
    user(&["build", "-o", "job", "."]);
    // The bundled library needs no folder for temporary files.
    gets_the_secret(&project.join("job"), &[("TMPDIR", OsStr::new("/nowhere"))]);

    user(&["build", "-tags", "vaultlet_nobundle", "-o", "without", "."]);
    let without = Run::program(project.join("without")).end();
    assert!(without.stderr.contains("(library-missing)"), "{}", without.stderr);
    gets_the_secret(&project.join("without"), &[("VAULTLET_LIBRARY", library().as_os_str())]);

    user(&["get", &format!("vaultlet.dev/go/azure@{version}")]);
    let listed = user(&["list", "-m", "vaultlet.dev/go", "vaultlet.dev/go/azure"]).stdout;
    assert_eq!(listed, format!("vaultlet.dev/go {version}\nvaultlet.dev/go/azure {version}\n"));
    user(&["build", "vaultlet.dev/go/azure"]);
}

fn pack(go: &Go, proxy: &Path) {
    let mut named =
        OsString::from(if cfg!(target_arch = "aarch64") { "linux_arm64=" } else { "linux_amd64=" });
    named.push(library());
    let mut pack = go.command(&root().join("host/go/pack"));
    succeeds(pack.args(["run", ".", "-out"]).arg(proxy).arg(named));
}

fn local(who: Who) -> Local {
    let builder = Local::builder().vault("my-key-vault").seed("db-password", VALUE).run_as(who);
    builder.start().unwrap()
}

/// Runs a job with the identity of the compute, and on behalf of the user.
fn gets_the_secret(job: &Path, more: &[(&str, &OsStr)]) {
    for (who, endpoint) in [(Who::Managed, "azure-ml"), (Who::User, "azure-ml-obo")] {
        let local = local(who);
        let ended = Run::program(job)
            .environment(local.environment().iter().cloned())
            .environment(more.iter().copied())
            .end();
        assert_eq!((ended.stdout.trim_end(), ended.code), (VALUE, 0), "{}", ended.stderr);
        ended.reveals_none_of(&[VALUE], false);
        let counters = local.counters();
        assert_eq!(counters.identity.get(endpoint), Some(&1), "{counters:?}");
        assert_eq!(counters.tunnels, 0, "it connected to another server: {:?}", local.log());
    }
}

/// The `go` command, with a module cache and a build cache of its own.
struct Go {
    modules: PathBuf,
    cache: PathBuf,
}

impl Go {
    fn found(test: &str) -> Option<Self> {
        for tool in ["go", "gofmt"] {
            if Command::new(tool).arg("-h").output().is_err() {
                skipped(test, &format!("`{tool}` is not installed"));
                return None;
            }
        }
        let peers = target().join("peers");
        Some(Self { modules: peers.join("go-modules"), cache: peers.join("go-cache") })
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new("go");
        command
            .current_dir(folder)
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-modcacherw")
            .env("GOWORK", "off")
            .env("GOMODCACHE", &self.modules)
            .env("GOCACHE", &self.cache);
        command
    }
}
