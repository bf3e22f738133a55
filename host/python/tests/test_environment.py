"""`resolve_environment`, by the table that the libraries of all languages are tested by. Its local Azure has the
secrets of the table, and `TABLE` is the table's path."""

import asyncio
import copy
import json
import os
import pickle
import subprocess
import sys

import pytest
import vaultlet
import vaultlet.aio
from conftest import REFERENCE, VALUE, shows

with open(os.environ["TABLE"], encoding="utf-8") as file:
    CASES = json.load(file)["cases"]


def blocking(case):
    return vaultlet.resolve_environment(case["variables"], only=case.get("only"))


def awaited(case):
    return asyncio.run(vaultlet.aio.resolve_environment(case["variables"], only=case.get("only")))


def of_a_handle(case):
    with vaultlet.Vaultlet(variables={**os.environ, **case["variables"]}) as handle:
        return handle.resolve_environment(only=case.get("only"))


@pytest.mark.parametrize("resolve", [blocking, awaited, of_a_handle])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_case(case, resolve):
    before = dict(os.environ)
    if "secrets" in case:
        secrets = resolve(case)
        assert {type(secret) for secret in secrets.values()} <= {vaultlet.Secret}
        assert {name: secret.reveal() for name, secret in secrets.items()} == case["secrets"]
        assert not shows(repr(secrets))
    else:
        with pytest.raises(vaultlet.VaultletError) as raised:
            resolve(case)
        error = raised.value
        failed = [{"name": it.name, "id": it.id, "kind": it.kind} for it in error.variables]
        assert failed == case["failed"]
        assert (error.id, error.kind) == (failed[0]["id"], failed[0]["kind"])
        assert all(f"`{it.name}`" in str(error) and it.message in str(error) for it in error.variables)
        assert not shows(repr(error) + str(error) + repr(error.__dict__))
        assert pickle.loads(pickle.dumps(error)).variables == copy.copy(error).variables
    assert dict(os.environ) == before


def test_the_environment_of_the_process():
    """Where it is read is not only what the process began with."""
    program = (
        "import os, vaultlet\n"
        f"os.environ['LATER'] = {REFERENCE!r}\n"
        "secrets = vaultlet.resolve_environment()\n"
        "print(*secrets, *(len(secret.reveal()) for secret in secrets.values()))\n"
        "print(os.environ['EARLIER'], os.environ['LATER'])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "EARLIER": REFERENCE},
        capture_output=True,
        text=True,
        check=True,
    )
    length = len(VALUE)
    assert ended.stdout == f"EARLIER LATER {length} {length}\n{REFERENCE} {REFERENCE}\n"
    assert not shows(ended.stdout + ended.stderr)


def test_arguments():
    variables = {"A": REFERENCE, "B": "akv://"}
    assert list(vaultlet.resolve_environment(variables, only="A")) == ["A"]
    assert list(vaultlet.resolve_environment(variables, only=iter(["A"]))) == ["A"]
    with pytest.raises(vaultlet.UsageError, match="`C`, which is not set"):
        vaultlet.resolve_environment(variables, only=["A", "C"])
    with pytest.raises(TypeError):
        vaultlet.resolve_environment({"A": 1})
    with pytest.raises(TypeError, match="unexpected keyword argument 'onyl'"):
        vaultlet.resolve_environment(variables, onyl="A")
