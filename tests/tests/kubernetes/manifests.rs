//! Each manifest is read strictly: by the types of Kubernetes, or by the definition of its custom resource.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Ended, root, succeeds, target};

/// What `kubectl apply -k` takes, and the files that belong to no such folder.
pub(crate) const FOLDERS: [&str; 7] =
    ["sidecar", "init", "inject", "inject/example.yaml", "node", "ray", "kubeflow"];

/// The modules that have the definitions of custom resources, at a version, with the files.
const DEFINITIONS: [(&str, &[&str]); 3] = [
    (
        "github.com/ray-project/kuberay/ray-operator@v1.5.0",
        &["config/crd/bases/ray.io_rayjobs.yaml"],
    ),
    (
        "github.com/kubeflow/training-operator@v1.8.1",
        &["manifests/base/crds/kubeflow.org_pytorchjobs.yaml"],
    ),
    (
        "github.com/kubeflow/trainer/v2@v2.0.0",
        &[
            "manifests/base/crds/trainer.kubeflow.org_trainingruntimes.yaml",
            "manifests/base/crds/trainer.kubeflow.org_trainjobs.yaml",
        ],
    ),
];

/// Whether there is Go; without it the test is skipped.
pub(crate) fn has_go(test: &str) -> bool {
    let is_there = Command::new("go").arg("version").output().is_ok_and(|it| it.status.success());
    if !is_there {
        skipped(test, "no `go`");
    }
    is_there
}

/// Builds a program of `tests/kubernetes`.
pub(crate) fn built(name: &str) -> PathBuf {
    let folder = target().join("peers/kubernetes");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join(name);
    let mut go = Command::new("go");
    // The API server tells its version.
    let version = "-X k8s.io/component-base/version.gitVersion=v1.36.3";
    go.args(["build", "-trimpath", "-buildvcs=false", "-ldflags", version, "-o"]);
    go.arg(&program).arg(".");
    succeeds(go.current_dir(root().join("tests/kubernetes").join(name)));
    program
}

/// A file with the definitions of the custom resources.
pub(crate) fn definitions() -> PathBuf {
    let file = target().join("peers/kubernetes/definitions.yaml");
    let mut all = String::new();
    for (module, files) in DEFINITIONS {
        let mut go = Command::new("go");
        let ended = succeeds(go.args(["mod", "download", "-json", module]).current_dir("/"));
        let downloaded: Value = serde_json::from_str(&ended.stdout).unwrap();
        for name in files {
            let path = Path::new(downloaded["Dir"].as_str().unwrap()).join(name);
            all += &fs::read_to_string(path).unwrap();
            all += "\n---\n";
        }
    }
    fs::write(&file, all).unwrap();
    file
}

fn check(path: &Path) -> Ended {
    static CHECK: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    let (program, definitions) = CHECK.get_or_init(|| (built("check"), definitions()));
    Ended::from(Command::new(program).arg(definitions).arg(path).output().unwrap())
}

/// The objects of a folder or file, which must be right.
#[track_caller]
pub(crate) fn objects(path: &Path) -> Vec<Value> {
    let ended = check(path);
    assert_eq!(ended.code, 0, "{}: {}", path.display(), ended.stderr);
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn folder(name: &str) -> PathBuf {
    root().join("host/kubernetes").join(name)
}

#[test]
fn a_cluster_reads_every_manifest() {
    if !has_go("a_cluster_reads_every_manifest") {
        return;
    }
    let kinds = FOLDERS.iter().flat_map(|name| objects(&folder(name)));
    let mut kinds: Vec<_> = kinds.map(|it| it["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds.dedup();
    let expected = [
        "ConfigMap",
        "DaemonSet",
        "Job",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "Namespace",
        "PyTorchJob",
        "RayJob",
        "ServiceAccount",
        "TrainJob",
        "TrainingRuntime",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ];
    assert_eq!(kinds, expected);
    // The page about jobs has one, too.
    let page = fs::read_to_string(root().join("host/cli/JOBS.md")).unwrap();
    let manifest = page.split("decoded strictly into the types of Kubernetes\n").nth(1).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("aks.yaml");
    fs::write(&file, manifest.split("```").next().unwrap()).unwrap();
    assert_eq!(objects(&file).len(), 2);
}

#[test]
fn a_wrong_field_of_a_manifest_is_found() {
    if !has_go("a_wrong_field_of_a_manifest_is_found") {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    for (name, right, wrong) in [
        ("sidecar/job.yaml", "startupProbe:", "startUpProbe:"),
        ("sidecar/job.yaml", "periodSeconds: 1\n", "periodSeconds: often\n"),
        ("inject/policy.yaml", "reinvocationPolicy", "reinvocation"),
        ("ray/rayjob.yaml", "shutdownAfterJobFinishes: true", "shutdownAfterJobFinishes: soon"),
        ("kubeflow/pytorchjob.yaml", "medium: Memory", "medum: Memory"),
        ("kubeflow/trainjob.yaml", "runtimeRef:", "runtime:"),
    ] {
        let text = fs::read_to_string(folder(name)).unwrap();
        assert!(text.contains(right), "{name}: {right}");
        let file = temporary.path().join("wrong.yaml");
        fs::write(&file, text.replacen(right, wrong, 1)).unwrap();
        let ended = check(&file);
        let field = wrong.split(':').next().unwrap();
        assert!(ended.code != 0 && ended.stderr.contains(field), "{name}: {}", ended.stderr);
    }
}
