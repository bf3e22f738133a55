"""Workers of Dask that are processes of their own: they have a value, also one that is started later; the scheduler and
the client do not; what is denied is an error of `register_plugin`. On stdin is the value."""

import json
import os
import sys

from looks import digest, reveals

REFERENCES = {"DB_PASSWORD": "akv://my-key-vault/db-password"}


def look():
    import os

    return digest(os.environ["DB_PASSWORD"])


def known(dask_scheduler):
    """What the scheduler keeps for workers, and what it tells of itself."""
    plugins = b"".join(bytes(it) if not isinstance(it, tuple) else b"".join(it) for it in dask_scheduler.worker_plugins.values())
    return plugins + repr(dask_scheduler.identity()).encode() + repr(dict(os.environ)).encode()


def main():
    import vaultlet
    from distributed import Client, LocalCluster
    from vaultlet.dask import VaultletPlugin

    # The workers import this file, too.
    values = json.load(sys.stdin)
    try:
        VaultletPlugin({"DB_PASSWORD": "plain"})
    except vaultlet.InvalidArgumentError as error:
        assert "plain" not in str(error) and "(reference-malformed)" in str(error), error
    else:
        raise AssertionError("what is no reference is taken")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.upload_file(os.path.join(os.path.dirname(__file__), "looks.py"))
        client.register_plugin(VaultletPlugin(REFERENCES))
        expected = digest(values[0])
        assert set(client.run(look).values()) == {expected}
        content = client.run_on_scheduler(known)
        assert b"akv://my-key-vault/db-password" in content and not reveals(content, values)
        assert "DB_PASSWORD" not in os.environ
        cluster.scale(3)
        client.wait_for_workers(3)
        assert list(client.run(look).values()) == [expected] * 3
        try:
            client.register_plugin(VaultletPlugin({"DENIED": "akv://my-key-vault/denied"}))
        except vaultlet.DeniedError as error:
            assert error.id == "vault-forbidden", error
        else:
            raise AssertionError("a denied secret is no error")
        client.register_plugin(VaultletPlugin(REFERENCES))
        client.unregister_worker_plugin("vaultlet")
        assert set(client.run(lambda: "DB_PASSWORD" in __import__("os").environ).values()) == {False}
    print("done")


if __name__ == "__main__":
    main()
