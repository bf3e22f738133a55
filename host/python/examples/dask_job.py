"""A Dask job whose workers get a secret. To run it in a local Azure, with one agent for both workers:

vaultlet dev --vault my-key-vault --seed db-password=hunter2 -- \
  vaultlet agent --socket "$PWD/agent.sock" -- python dask_job.py
"""

import os

from distributed import Client, LocalCluster

from vaultlet.dask import VaultletPlugin


def work() -> int:
    return len(os.environ["DB_PASSWORD"])


if __name__ == "__main__":
    with LocalCluster(n_workers=2, dashboard_address=None) as cluster, Client(cluster) as client:
        client.register_plugin(VaultletPlugin({"DB_PASSWORD": "akv://my-key-vault/db-password"}))
        print(f"workers have passwords of {sorted(client.run(work).values())} characters")
