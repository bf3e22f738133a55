"""Three nodes with four workers each, five secrets, a vault with a limit: who asks it, who sees the values, and what
happens when something fails. On stdin are the values, which are in no environment of ours."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

from looks import agents, counters, digest, files, finds_nothing_in, kill, reveals, until

import ray
import ray.data
import ray.train
from ray.cluster_utils import Cluster
from ray.job_submission import JobStatus, JobSubmissionClient
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer
from ray.util import state

VALUES = json.load(sys.stdin)
NAMES = [f"SECRET_{i}" for i in range(len(VALUES))]
REFERENCES = {name: f"akv://my-key-vault/secret-{i}" for i, name in enumerate(NAMES)}
GIVEN = "GIVEN_SECRETS=1"
ENVIRONMENT = {"env_vars": {**REFERENCES, "GIVEN_SECRETS": "1"}}
EXPECTED = [digest(value) for value in VALUES]
CONTROL = os.environ["CONTROL"]
NODES = 3
started = time.monotonic()


def step(text):
    print(f"{time.monotonic() - started:6.1f} s  {text}", flush=True)


def seen(names):
    import hashlib
    import os

    return [hashlib.sha256(os.environ[name].encode()).hexdigest()[:16] for name in names]


@ray.remote(num_cpus=1)
class Worker:
    def look(self, names):
        return ray.get_runtime_context().get_node_id(), os.getpid(), os.environ["VAULTLET_AGENT"], seen(names)

    def variables(self):
        return sorted(os.environ)


def four_workers_a_node(nodes, environment):
    """All workers, which must have the values; returns what they saw."""
    workers = []
    for node in nodes:
        where = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
        options = {"scheduling_strategy": where, "runtime_env": environment}
        workers += [Worker.options(**options).remote() for _ in range(4)]
    looks = ray.get([worker.look.remote(NAMES) for worker in workers])
    assert all(look[3] == EXPECTED for look in looks), looks
    assert len({look[1] for look in looks}) == len(workers)
    return workers, looks


def fails(environment, id):
    """A task cannot start, soon, and the error says why."""
    since = time.monotonic()
    try:
        ray.get(ray.remote(num_cpus=0)(lambda: None).options(runtime_env=environment).remote())
    except ray.exceptions.RuntimeEnvSetupError as error:
        line = next(line for line in str(error).splitlines() if line.startswith("vaultlet.") and f"({id})" in line)
        took = time.monotonic() - since
        assert took < 10, took
        return f"after {took:.1f} s: {line}"
    raise AssertionError(f"it starts with {environment}")


def told_by_ray(dashboard):
    """What the state API, the dashboard and the GCS know."""
    told = {}
    for name in ("actors", "tasks", "workers", "nodes", "jobs", "runtime_envs", "objects", "placement_groups"):
        records = getattr(state, f"list_{name}")(detail=True, limit=10_000, raise_on_missing_output=False)
        told[f"list_{name}"] = repr(records).encode()
    node = ray.nodes()[0]["NodeID"]
    paths = ["nodes?view=summary", "nodes?view=details", f"nodes/{node}", "logical/actors", "api/jobs/", "api/version"]
    paths += ["api/cluster_status", "api/v0/tasks/summarize", "api/v0/actors/summarize", "api/v0/logs?node_id=" + node]
    paths += [f"api/v0/{name}?detail=1" for name in ("actors", "tasks", "workers", "runtime_envs", "jobs", "nodes")]
    paths += ["events", "api/snapshot", "api/component_activities", "api/actor_groups", "api/grafana_health"]
    answered = 0
    for path in paths:
        try:
            with urllib.request.urlopen(f"{dashboard}/{path}", timeout=30) as response:
                told[path] = response.read()
                answered += 1
        except urllib.error.HTTPError as error:
            told[path] = error.read()
    from ray.experimental import internal_kv

    for namespace in (None, b"fun", b"job", b"session", b"dashboard", b"serve", b"package", b"tune"):
        for key in internal_kv._internal_kv_list(b"", namespace=namespace):
            told[f"kv {key!r}"] = key + (internal_kv._internal_kv_get(key, namespace=namespace) or b"")
    assert answered >= 12, {path: told[path][:80] for path in paths}
    for place, content in told.items():
        assert not reveals(content, VALUES), f"a value is in {place}"
    assert sum(b"akv://my-key-vault/secret-0" in content for content in told.values()) >= 3
    return len(told), sum(map(len, told.values()))


def submitted(dashboard, environment):
    """The logs of a job whose driver and task look at their variables."""
    program = (
        "import hashlib, os, ray; ray.init()\n"
        f"look = lambda: [hashlib.sha256(os.environ[n].encode()).hexdigest()[:16] for n in {NAMES}]\n"
        "print('driver', look()); print('task', ray.get(ray.remote(look).remote()))\n"
    )
    client = JobSubmissionClient(dashboard)
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/job.py", "w") as file:
            file.write(program)
        command = [sys.executable, "-m", "ray.scripts.scripts", "job", "submit", "--address", dashboard]
        command += ["--runtime-env-json", json.dumps(environment), "--working-dir", folder, "--", sys.executable, "job.py"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"driver {EXPECTED}" in done.stdout and f"task {EXPECTED}" in done.stdout, done.stdout
    assert not reveals((done.stdout + done.stderr).encode(), VALUES)
    assert all(job.status == JobStatus.SUCCEEDED for job in client.list_jobs() if job.submission_id)


def trained():
    """Each worker of a training run has the values."""

    def train(config):
        assert seen(config["names"]) == config["expected"]
        ray.train.report({"rank": ray.train.get_context().get_world_rank()})

    with tempfile.TemporaryDirectory() as folder:
        result = DataParallelTrainer(
            train,
            train_loop_config={"names": NAMES, "expected": EXPECTED},
            scaling_config=ray.train.ScalingConfig(num_workers=6),
            run_config=ray.train.RunConfig(storage_path=folder),
        ).fit()
    assert result.error is None, result.error


def mapped():
    """Each worker of a dataset has the values."""

    def with_digests(batch):
        batch["seen"] = ["".join(seen(NAMES))] * len(batch["id"])
        return batch

    rows = ray.data.range(64, override_num_blocks=8).map_batches(with_digests).take_all()
    assert len(rows) == 64 and {row["seen"] for row in rows} == {"".join(EXPECTED)}


def main(folder):
    os.environ["RAY_TMPDIR"] = folder
    os.mkdir(f"{folder}/ray")
    node = {"num_cpus": 4, "object_store_memory": 80_000_000}
    cluster = Cluster()
    try:
        cluster.add_node(**node, temp_dir=folder, include_dashboard=True, dashboard_host="127.0.0.1", dashboard_port=0)
        for _ in range(NODES - 1):
            cluster.add_node(**node, temp_dir=folder)
        cluster.wait_for_nodes()
        step("three nodes")
        context = ray.init(address=cluster.address, runtime_env=ENVIRONMENT, log_to_driver=False)
        dashboard = f"http://{context.dashboard_url}"
        nodes = [it["NodeID"] for it in ray.nodes()]
        workers, looks = four_workers_a_node(nodes, None)
        assert len({look[0] for look in looks}) == len({look[2] for look in looks}) == NODES, looks
        found = counters(CONTROL)
        step(f"twelve workers have five values each; the vault was asked: {found}")
        assert found["get"].get("200") == NODES * len(NAMES) and "429" not in found["get"], found
        assert len(agents(folder)) == NODES

        other = "import os, ray; ray.init(address=%r, log_to_driver=False); print(ray.get(ray.remote(lambda: sorted(os.environ)).options(num_cpus=0).remote()))"
        done = subprocess.run([sys.executable, "-c", other % cluster.address], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0 and "'PATH'" in done.stdout, done.stderr
        assert not any(name in done.stdout for name in [*NAMES, "VAULTLET_AGENT"]), done.stdout
        step("a worker of another job has neither the values nor the agent")

        step("a denied secret fails " + fails({"env_vars": {"DENIED": "akv://my-key-vault/denied"}}, "vault-forbidden"))
        step("a malformed one fails " + fails({"env_vars": {"BAD": "akv://my-key-vault/a_b"}}, "reference-malformed"))
        step("an unknown one fails " + fails({"vaultlet": {"env": {"NONE": "akv://my-key-vault/none"}}}, "secret-not-found"))
        step("searched files (bytes) and other processes: %s, %s" % finds_nothing_in(folder, VALUES, GIVEN))
        step("searched what Ray tells: %s places, %s bytes" % told_by_ray(dashboard))

        victims = agents(folder)
        kill(victims)
        since = time.monotonic()
        for worker in workers:
            ray.kill(worker)
        workers, again = four_workers_a_node(nodes, {"env_vars": {**ENVIRONMENT["env_vars"], "ROUND": "2"}})
        assert {look[2] for look in again} == {look[2] for look in looks} and not set(victims) & set(agents(folder))
        step(f"all agents were killed: twelve new workers had the values after {time.monotonic() - since:.1f} s")
        for worker in workers:
            ray.kill(worker)

        submitted(dashboard, ENVIRONMENT)
        step("`ray job submit`: its driver and its task have the values")
        ray.shutdown()
        since = time.monotonic()
        until(lambda: not agents(folder), "an agent runs, and there is no worker")
        step(f"all agents ended {time.monotonic() - since:.1f} s after the last worker, while the nodes go on")

        # Ray Data leaves actors behind, which live as long as the cluster.
        ray.init(address=cluster.address, runtime_env=ENVIRONMENT, log_to_driver=False)
        trained()
        step("six workers of Ray Train have the values")
        mapped()
        step("the workers of Ray Data have the values")
        found = counters(CONTROL)
        step(f"the vault was asked: {found}")
        assert "429" not in found["get"], found
        step("searched files (bytes) and other processes: %s, %s" % finds_nothing_in(folder, VALUES, GIVEN))
        step("searched what Ray tells: %s places, %s bytes" % told_by_ray(dashboard))
    finally:
        ray.shutdown()
        cluster.shutdown()
    until(lambda: not agents(folder), "an agent outlives its node")
    for path, content in files(folder):
        assert not reveals(content, VALUES), f"a value is in {path}"
    print("done")


folder = os.path.realpath(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
try:
    main(folder)
finally:
    # Some processes of Ray end a little later.
    shutil.rmtree(folder, ignore_errors=True)
