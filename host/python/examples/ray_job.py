"""A Ray job whose workers get a secret. To run it in a local Azure:

export RAY_RUNTIME_ENV_PLUGINS='[{"class": "vaultlet.ray.EnvVarsPlugin"}]'
vaultlet dev --vault my-key-vault --seed db-password=hunter2 -- python ray_job.py
"""

import os

import ray

ray.init(runtime_env={"env_vars": {"DB_PASSWORD": "akv://my-key-vault/db-password"}})


@ray.remote
def work() -> int:
    return len(os.environ["DB_PASSWORD"])


print(f"a worker has a password of {ray.get(work.remote())} characters")
