"""One node, as quick as can be: a worker gets a value, hears of a new version, and Ray tells nobody; what is refused is
refused soon; an agent that is killed is replaced. On stdin are the values, which are in no environment of ours."""

import json
import os
import shutil
import signal
import sys
import tempfile
import time

from looks import agents, counters, digest, files, finds_nothing_in, kill, reveals, until

import ray

FIRST, SECOND = VALUES = json.load(sys.stdin)
REFERENCE = "akv://my-key-vault/db-password"
GIVEN = "GIVEN_SECRETS=1"


@ray.remote(num_cpus=0)
class Worker:
    def look(self, name):
        import hashlib
        import os

        return hashlib.sha256(os.environ[name].encode()).hexdigest()[:16]

    def read(self):
        import hashlib

        import vaultlet

        return hashlib.sha256(vaultlet.get("akv://my-key-vault/db-password").reveal().encode()).hexdigest()[:16]

    def content(self, name):
        with open(os.environ[name]) as file:
            return digest(file.read())


def refused(environment):
    """The line of the error, which comes soon."""
    since = time.monotonic()
    try:
        worker = Worker.options(runtime_env=environment).remote()
        ray.get(worker.look.remote("DB_PASSWORD"))
    except ray.exceptions.RuntimeEnvSetupError as error:
        assert time.monotonic() - since < 10
        return next(line for line in str(error).splitlines() if line.startswith("vaultlet."))
    raise AssertionError(f"it starts with {environment}")


def main(folder):
    environment = {"env_vars": {"DB_PASSWORD": REFERENCE, "GIVEN_SECRETS": "1"}}
    options = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80_000_000, "log_to_driver": False}
    try:
        ray.init(**options, _temp_dir=folder, runtime_env=environment)
    except Exception as error:
        # Ray gives its node 30 s, which a busy machine may need.
        if "timed out during startup" not in str(error):
            raise
        ray.shutdown()
        ray.init(**options, _temp_dir=folder, runtime_env=environment)
    worker = Worker.remote()
    assert ray.get(worker.look.remote("DB_PASSWORD")) == digest(FIRST)
    assert counters(os.environ["CONTROL"])["get"] == {"200": 1}

    # All at once: Ray waits a second between its attempts.
    bad = [{"env_vars": {"DB_PASSWORD": "akv://my-key-vault/denied"}}, {"vaultlet": {"env": {"DB_PASSWORD": "akv://a_b/c"}}}]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        denied, malformed = pool.map(refused, bad)
    assert denied.startswith("vaultlet.DeniedError: vaultlet: DB_PASSWORD: reading secret `denied` of my-key-vault"), denied
    assert denied.endswith("(vault-forbidden)"), denied
    assert malformed.startswith("vaultlet.InvalidArgumentError: vaultlet: DB_PASSWORD: reading the reference"), malformed
    assert malformed.endswith("(reference-malformed)"), malformed

    print("new version", flush=True)
    (victim,) = agents(folder)

    def has_heard():
        # In place of its `ttl`, all secrets are asked for anew.
        os.kill(victim, signal.SIGHUP)
        return ray.get(worker.read.remote()) == digest(SECOND)

    until(has_heard, "the worker hears of no new version")
    assert ray.get(worker.look.remote("DB_PASSWORD")) == digest(FIRST)
    kill([victim])
    field = {"vaultlet": {"env": {"KEY": f"{REFERENCE}?as=fd", "KEY_FILE": f"{REFERENCE}?as=file"}}}
    other = Worker.options(runtime_env={**field, "env_vars": {"GIVEN_SECRETS": "1"}}).remote()
    assert ray.get([other.content.remote("KEY"), other.content.remote("KEY_FILE"), other.look.remote("DB_PASSWORD")]) == [digest(SECOND)] * 3
    assert victim not in agents(folder)
    finds_nothing_in(folder, VALUES, GIVEN)
    ray.shutdown()
    until(lambda: not agents(folder), "an agent outlives its node")
    for path, content in files(folder):
        assert not reveals(content, VALUES), f"a value is in {path}"
    print("done", flush=True)


folder = os.path.realpath(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
os.environ["RAY_TMPDIR"] = folder
try:
    main(folder)
finally:
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)
