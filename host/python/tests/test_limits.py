"""A process that has no descriptor free gets an error of this package, with the classes to catch it."""

import os
import subprocess
import sys

PROGRAM = """
import os, resource
import vaultlet

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
try:
    for free in range(int(os.environ["FREE"])):
        os.close(held.pop())
    vaultlet.get("akv://my-key-vault/db-password")
except vaultlet.ConfigurationError as error:
    assert isinstance(error, vaultlet.VaultletError), type(error)
    print(error.id)
"""


def test_descriptors_that_are_gone_are_told_as_that():
    environment = {**os.environ, "MSI_ENDPOINT": "http://127.0.0.1:9/token", "MSI_SECRET": "s3cret"}
    run = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(run, env={**environment, "FREE": "0"}, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("descriptor-limit\n", "")
