//! The containers of the manifests, run by hand as a kubelet would, in a local Azure with a workload identity: nothing else
//! shows that command lines, users, rights, volumes and probes fit together.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use tempfile::TempDir;
use vaultlet_tests::sandbox::{in_namespace, skipped};
use vaultlet_tests::{Ended, Run, root, vaultlet};

use crate::manifests::{folder, has_go, objects};

const VALUE: &str = "v4lue-of-the-pod";

/// What the image of a job has in place of Python: it fails without the secret, and with any way to a token.
const PYTHON: &str = r#"#!/bin/sh
test "$1" = train.py || exit 2
test "$DB_PASSWORD" = "v4lue-of-the-pod" || exit 3
! env | grep -qE '^(AZURE_FEDERATED_TOKEN_FILE|AZURE_CLIENT_SECRET|IDENTITY_|MSI_)' || exit 4
test "$(id -u)" = 10001 || exit 5
"#;

/// What images bring, and a node.
pub(crate) struct Node {
    folder: TempDir,
}

impl Node {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["image/bin", "program/usr/local/bin", "work", "node"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        // Another process makes the copies: see `copy_of_program` of the agent's tests.
        for to in ["image/bin/vaultlet", "program/usr/local/bin/vaultlet"] {
            assert_eq!(Run::program("cp").arguments([vaultlet(), &at(to)]).end().code, 0);
        }
        for (name, text) in [("python", PYTHON), ("torchrun", "#!/bin/sh\nexec python \"$@\"\n")] {
            let file = at("image/bin").join(name);
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    /// Runs a pod to its end.
    pub(crate) fn run(&self, pod: &Value) -> Ended {
        self.run_with(pod, &json!({}))
    }

    /// Runs a pod that mounts these ConfigMaps to its end.
    pub(crate) fn run_with(&self, pod: &Value, maps: &Value) -> Ended {
        self.in_azure(&self.kubelet("pod", pod, maps, None))
    }

    /// The command that runs a pod. `maps` are the ConfigMaps that it mounts; `until` is a command that a pod without an
    /// end is there for.
    fn kubelet(
        &self,
        name: &str,
        pod: &Value,
        maps: &Value,
        until: Option<&[String]>,
    ) -> [String; 4] {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let path = format!("{}:/usr/bin:/bin", at("image/bin"));
        // What a container without a command of its own does.
        let reference = "DB_PASSWORD=akv://my-key-vault/db-password";
        let arguments = ["vaultlet", "run", "-e", reference, "--", "python", "train.py"];
        let images = json!({
            "images": {
                "vaultlet": {
                    "entrypoint": [at("program/usr/local/bin/vaultlet")], "arguments": [],
                    "environment": { "PATH": "/usr/local/bin" }, "folder": "/", "user": 65532,
                },
                "train": {
                    "entrypoint": [], "arguments": arguments,
                    "environment": { "PATH": path }, "folder": at("work"), "user": 0,
                },
            },
            "configMaps": maps, "node": at("node"), "program-image": at("program"), "until": until,
        });
        let [of_pod, of_images] = ["pod", "images"].map(|it| at(&format!("{name}.{it}.json")));
        fs::write(&of_pod, pod.to_string()).unwrap();
        fs::write(&of_images, images.to_string()).unwrap();
        let kubelet = root().join("tests/kubernetes/kubelet.py").display().to_string();
        ["python3".to_owned(), kubelet, of_pod, of_images]
    }

    /// Runs a command as root of a node in a local Azure, in namespaces of its own.
    fn in_azure(&self, command: &[String]) -> Ended {
        let program = vaultlet().display().to_string();
        let dev = [
            program.as_str(),
            "dev",
            "--vault",
            "my-key-vault",
            "--identity-form",
            "workload-identity",
        ];
        let seeds = ["--seed-file", &self.seeds(), "--"].map(ToOwned::to_owned);
        let all =
            dev.map(ToOwned::to_owned).into_iter().chain(seeds).chain(command.iter().cloned());
        let (unshare, arguments) = in_namespace("ip link set lo up", all).unwrap();
        Run::program(unshare).arguments(arguments).end()
    }

    fn seeds(&self) -> String {
        let file = self.folder.path().join("seeds.json");
        fs::write(&file, json!({ "db-password": VALUE, "other": "an0ther-value" }).to_string())
            .unwrap();
        file.display().to_string()
    }
}

/// Whether pods can be run by hand here.
pub(crate) fn is_possible(test: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root || in_namespace("true", ["true"]).is_none() {
        skipped(test, "not root, or no namespaces");
        return false;
    }
    has_go(test)
}

/// The exit code of each container.
#[track_caller]
pub(crate) fn codes(ended: &Ended) -> Value {
    ended.reveals_none_of(&[VALUE], true);
    let line = ended.stdout.lines().rfind(|line| line.starts_with('{'));
    let line = line.unwrap_or_else(|| panic!("{}{}", ended.stdout, ended.stderr));
    serde_json::from_str::<Value>(line).unwrap()["codes"].clone()
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is = |it: &&Value| it["kind"] == kind && it["metadata"]["name"] == name;
    objects.iter().find(is).unwrap()
}

/// The pods of the manifests that end by themselves.
fn pods() -> Vec<(&'static str, Value, Value)> {
    let [sidecar, init, kubeflow] = ["sidecar", "init", "kubeflow"].map(|it| objects(&folder(it)));
    let of_job = |job: &Value| job["spec"]["template"].clone();
    let replicas = &find(&kubeflow, "PyTorchJob", "train")["spec"]["pytorchReplicaSpecs"];
    let runtime = &find(&kubeflow, "TrainingRuntime", "torch-with-secrets")["spec"]["template"];
    let of_runtime = runtime["spec"]["replicatedJobs"][0]["template"]["spec"]["template"].clone();
    let with_agent = |name: &str| json!({ name: 0, "vaultlet-agent": 0 });
    vec![
        ("sidecar", of_job(find(&sidecar, "Job", "train")), with_agent("train")),
        ("init", of_job(find(&init, "Job", "train")), json!({ "train": 0, "vaultlet-install": 0 })),
        ("image volume", of_job(find(&init, "Job", "train-image-volume")), json!({ "train": 0 })),
        ("master", replicas["Master"]["template"].clone(), with_agent("pytorch")),
        ("worker", replicas["Worker"]["template"].clone(), with_agent("pytorch")),
        ("runtime", of_runtime, with_agent("node")),
    ]
}

#[test]
fn the_containers_of_each_pod_do_their_work_and_end_well() {
    if !is_possible("the_containers_of_each_pod") {
        return;
    }
    let node = Node::new();
    let mut pods = pods();
    let ray = objects(&folder("ray"));
    let cluster = &find(&ray, "RayJob", "train")["spec"]["rayClusterSpec"];
    // KubeRay brings the command; a worker of Ray has another user.
    let mut worker = cluster["workerGroupSpecs"][0]["template"].clone();
    assert_eq!(worker["spec"]["securityContext"]["runAsUser"], 1000);
    worker["spec"]["securityContext"]["runAsUser"] = json!(10001);
    pods.push(("ray", worker, json!({ "ray-worker": 0, "vaultlet-agent": 0 })));
    for (name, pod, expected) in &pods {
        let ended = node.run(pod);
        assert_eq!(codes(&ended), *expected, "{name}: {}", ended.stderr);
    }
}

#[test]
fn a_pod_that_is_set_up_wrong_says_so_and_its_job_is_not_tried_again() {
    if !is_possible("a_pod_that_is_set_up_wrong") {
        return;
    }
    let node = Node::new();
    let manifests = objects(&folder("sidecar"));
    let job = find(&manifests, "Job", "train");
    let retried_not = &job["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"];
    let right = job["spec"]["template"].clone();
    let with = |path: &str, value: Value| {
        let mut pod = right.clone();
        *pod.pointer_mut(path).unwrap() = value;
        pod
    };
    let mut other_user = right.clone();
    other_user["spec"]["containers"][0]["securityContext"]["runAsUser"] = json!(10002);
    let argument = "/spec/initContainers/0/args/2";
    let reference = "/spec/containers/0/env/1/value";
    for (pod, code, id) in [
        // What the policy for admission refuses before.
        (other_user, 78, "agent-untrusted"),
        (with(argument, json!("--allow=akv://other-vault/*")), 77, "policy-denied"),
        (with(reference, json!("akv://my-key-vault/?")), 65, "reference-malformed"),
        (with(reference, json!("akv://my-key-vault/none")), 66, "secret-not-found"),
    ] {
        let ended = node.run(&pod);
        assert_eq!(codes(&ended)["train"], code, "{}", ended.stderr);
        assert_eq!(codes(&ended)["vaultlet-agent"], 0, "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("({id})")), "{}", ended.stderr);
        assert!(retried_not.as_array().unwrap().contains(&json!(code)), "{retried_not}");
    }
}

#[test]
fn the_agent_of_a_node_answers_the_pods_whose_users_its_policy_names() {
    if !is_possible("the_agent_of_a_node") {
        return;
    }
    let node = Node::new();
    let manifests = objects(&folder("node"));
    let policy = &find(&manifests, "ConfigMap", "vaultlet-agent")["data"];
    let agent = &find(&manifests, "DaemonSet", "vaultlet-agent")["spec"]["template"];
    let job = &find(&manifests, "Job", "train")["spec"]["template"];
    let mut stranger = job.clone();
    stranger["spec"]["securityContext"]["runAsUser"] = json!(10002);
    for (pod, expected) in [(job, 0), (&stranger, 69)] {
        // The pod of the job runs beside that of the agent, on the same node.
        let job = node.kubelet("job", pod, &json!({}), None);
        let namespace = ["unshare", "-m", "--propagation", "private"].map(ToOwned::to_owned);
        let job: Vec<_> = namespace.into_iter().chain(job).collect();
        let maps = json!({ "vaultlet-agent": policy });
        let ended = node.in_azure(&node.kubelet("agent", agent, &maps, Some(&job)));
        let lines = ended.stdout.lines().filter(|line| line.starts_with('{'));
        let codes = lines.map(|line| serde_json::from_str::<Value>(line).unwrap()["codes"].clone());
        let expected_codes = [json!({ "train": expected }), json!({ "vaultlet-agent": 0 })];
        assert_eq!(codes.collect::<Vec<_>>(), expected_codes, "{}", ended.stderr);
        assert_eq!(ended.stderr.contains(r#""event":"reveal""#), expected == 0, "{}", ended.stderr);
        ended.reveals_none_of(&[VALUE], true);
    }
}
