//! An API server takes the manifests, and its admission makes of a pod what the policy promises: with
//! `VAULTLET_TEST_FULL=1`, since building it takes minutes.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use vaultlet_tests::{Ended, Run};

use crate::manifests::{FOLDERS, built, definitions, folder, objects};
use crate::pods::{Node, codes, is_possible};

/// etcd and an API server in one process.
struct Cluster {
    server: Child,
    folder: TempDir,
    port: u16,
}

impl Cluster {
    fn start() -> Self {
        let program = built("controlplane");
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let key = Run::program("openssl").arguments(["genrsa", "-out", &at("key"), "2048"]).end();
        assert_eq!(key.code, 0, "{}", key.stderr);
        fs::write(at("tokens"), "t0ken,admin,1,system:masters\n").unwrap();
        let log = fs::File::create(at("log")).unwrap();
        let mut server = Command::new(program);
        server.arg(folder.path()).args([
            "--bind-address=127.0.0.1",
            &format!("--secure-port={port}"),
            &format!("--cert-dir={}", at("certificates")),
            &format!("--service-account-key-file={}", at("key")),
            &format!("--service-account-signing-key-file={}", at("key")),
            "--service-account-issuer=https://127.0.0.1",
            &format!("--token-auth-file={}", at("tokens")),
            "--authorization-mode=RBAC",
            // No controller makes the accounts.
            "--disable-admission-plugins=ServiceAccount",
            "--service-cluster-ip-range=10.0.0.0/24",
        ]);
        server.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let server = server.spawn().unwrap();
        let cluster = Self { server, folder, port };
        let late = Instant::now() + Duration::from_secs(120);
        while cluster.kubectl(&["get", "--raw", "/readyz"], None).code != 0 {
            assert!(Instant::now() < late, "{}", cluster.log());
            std::thread::yield_now();
        }
        cluster
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn kubectl(&self, arguments: &[&str], stdin: Option<&str>) -> Ended {
        let mut kubectl = Command::new("kubectl");
        kubectl.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        kubectl.env("HOME", self.folder.path());
        kubectl.arg(format!("--server=https://127.0.0.1:{}", self.port));
        kubectl.args(["--insecure-skip-tls-verify", "--token=t0ken"]).args(arguments);
        let file = self.folder.path().join("stdin");
        fs::write(&file, stdin.unwrap_or_default()).unwrap();
        Ended::from(kubectl.stdin(fs::File::open(&file).unwrap()).output().unwrap())
    }

    #[track_caller]
    fn does(&self, arguments: &[&str], stdin: Option<&str>) -> String {
        let ended = self.kubectl(arguments, stdin);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        ended.stdout
    }

    fn apply(&self, namespace: &str, path: &Path) {
        let flag = if path.is_dir() { "-k" } else { "-f" };
        let path = path.display().to_string();
        let how = ["apply", "--server-side", "--validate=strict"];
        // The definition of a custom resource, and a policy, take a moment until they are known everywhere.
        let late = Instant::now() + Duration::from_secs(60);
        loop {
            let all = [&["-n", namespace][..], &how, &[flag, &path]].concat();
            let ended = self.kubectl(&all, None);
            if ended.code == 0 {
                return;
            }
            assert!(Instant::now() < late, "{path}: {}", ended.stderr);
        }
    }

    /// Creates a pod, and returns what is there then, or the refusal.
    fn create(&self, namespace: &str, pod: &Value) -> Result<Value, String> {
        let name = pod["metadata"]["name"].as_str().unwrap();
        let ended = self.kubectl(&["-n", namespace, "create", "-f", "-"], Some(&pod.to_string()));
        if ended.code != 0 {
            return Err(ended.stderr);
        }
        let text = self.does(&["-n", namespace, "get", "pod", name, "-o", "json"], None);
        Ok(serde_json::from_str(&text).unwrap())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The pod that a Job's controller would create.
fn pod(job: &Value, name: &str) -> Value {
    let template = &job["spec"]["template"];
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": template["metadata"], "spec": template["spec"],
    });
    pod["metadata"]["name"] = json!(name);
    pod
}

fn jobs(name: &str) -> Vec<Value> {
    objects(&folder(name)).into_iter().filter(|it| it["kind"] == "Job").collect()
}

fn names(containers: &Value) -> Vec<&str> {
    containers.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let all = container["env"].as_array().unwrap();
    all.iter().find(|it| it["name"] == name).map(|it| it["value"].as_str().unwrap())
}

#[test]
fn an_api_server_takes_every_manifest_and_admits_an_agent_to_labelled_pods() {
    let test = "an_api_server_takes_every_manifest";
    if std::env::var_os("VAULTLET_TEST_FULL").is_none() || !is_possible(test) {
        return;
    }
    let cluster = Cluster::start();
    cluster.apply("default", &definitions());
    for name in FOLDERS {
        let namespace = name.split('/').next().unwrap();
        cluster.kubectl(&["create", "namespace", namespace], None);
        // The strictest level: no pod of the examples needs more, but the agent of a node.
        let label = "pod-security.kubernetes.io/enforce=restricted";
        cluster.does(&["label", "--overwrite", "namespace", namespace, label], None);
        // The manifests of `node` name their namespace.
        let into = if name == "node" { "vaultlet" } else { namespace };
        cluster.apply(into, &folder(name));
    }
    for name in ["sidecar", "init"] {
        for (at, job) in jobs(name).iter().enumerate() {
            cluster.create(name, &pod(job, &format!("pod-{at}"))).unwrap();
        }
    }

    // The policy: the agent is the first, and the token is for it alone.
    let job = &jobs("inject/example.yaml")[0];
    let labelled = pod(job, "labelled");
    let late = Instant::now() + Duration::from_secs(60);
    let made = loop {
        let made = cluster.create("inject", &labelled).unwrap();
        if !made["spec"]["initContainers"].is_null() {
            break made;
        }
        assert!(Instant::now() < late, "the policy does nothing: {made}");
        cluster.does(&["-n", "inject", "delete", "pod", "labelled", "--now"], None);
    };
    let skipped = "azure.workload.identity/skip-containers";
    assert_eq!(made["metadata"]["annotations"][skipped], "train");
    assert_eq!(made["metadata"]["labels"]["azure.workload.identity/use"], "true");
    assert_eq!(names(&made["spec"]["initContainers"]), ["vaultlet-agent"]);
    let place = "unix:/run/vaultlet/agent.sock";
    let train = &made["spec"]["containers"][0];
    assert_eq!(variable(train, "VAULTLET_AGENT"), Some(place));
    assert_eq!(variable(train, "DB_PASSWORD"), Some("akv://my-key-vault/db-password"));
    assert_eq!(made["spec"]["automountServiceAccountToken"], false);

    // What the API server has made works.
    let maps = objects(&folder("inject/example.yaml"));
    let map = maps.iter().find(|it| it["kind"] == "ConfigMap").unwrap();
    let ended = Node::new().run_with(&made, &json!({ "vaultlet-agent": map["data"] }));
    assert_eq!(codes(&ended), json!({ "train": 0, "vaultlet-agent": 0 }), "{}", ended.stderr);

    // Init containers of the pod can ask it, too.
    let mut with_init = pod(job, "with-init");
    let mut prepare = with_init["spec"]["containers"][0].clone();
    prepare["name"] = json!("prepare");
    with_init["spec"]["initContainers"] = json!([prepare]);
    let made = cluster.create("inject", &with_init).unwrap();
    let inits = &made["spec"]["initContainers"];
    assert_eq!(names(inits), ["vaultlet-agent", "prepare"]);
    assert_eq!(variable(&inits[1], "VAULTLET_AGENT"), Some(place));
    assert_eq!(made["metadata"]["annotations"][skipped], "train;prepare");

    // A pod that has an agent, or no label, is left as it is.
    let mut with_agent = pod(&jobs("sidecar")[0], "with-agent");
    with_agent["metadata"]["labels"]["vaultlet/agent"] = json!("enabled");
    let made = cluster.create("inject", &with_agent).unwrap();
    assert_eq!(names(&made["spec"]["volumes"]), ["vaultlet"]);
    let mut unlabelled = pod(job, "unlabelled");
    unlabelled["metadata"]["labels"] = json!({});
    let made = cluster.create("inject", &unlabelled).unwrap();
    assert!(made["spec"]["initContainers"].is_null());

    // Containers of several users, or of nobody knows which, are refused.
    let mut nobody = pod(job, "nobody");
    nobody["spec"]["securityContext"].as_object_mut().unwrap().remove("runAsUser");
    let refusal = cluster.create("inject", &nobody).unwrap_err();
    assert!(refusal.contains("needs spec.securityContext.runAsUser"), "{refusal}");
    let mut two = pod(job, "two");
    two["spec"]["containers"][0]["securityContext"]["runAsUser"] = json!(10002);
    let refusal = cluster.create("inject", &two).unwrap_err();
    assert!(refusal.contains("has a runAsUser of its own"), "{refusal}");
    // The agent of a node wants a folder of the node.
    let daemon = objects(&folder("node")).into_iter().find(|it| it["kind"] == "DaemonSet").unwrap();
    let refusal = cluster.create("sidecar", &pod(&daemon, "daemon")).unwrap_err();
    assert!(refusal.contains("hostPath"), "{refusal}");
}
