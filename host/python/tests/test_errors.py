"""Errors are typed, say what to do, and can be pickled."""

import copy
import os
import pickle
import subprocess
import sys

import pytest
import vaultlet
from conftest import REFERENCE


def test_not_found():
    with pytest.raises(vaultlet.NotFoundError) as raised:
        vaultlet.get("akv://my-key-vault/missing")
    error = raised.value
    assert (error.kind, error.id, error.status) == ("not-found", "secret-not-found", 404)
    assert error.code == "SecretNotFound"
    assert error.request_id and error.help and error.attempts == ()
    assert error.retry_after is None
    assert str(error) == f"{error.message} [{error.code}]; {error.help} ({error.id})"
    assert repr(type(error)) == "<class 'vaultlet.NotFoundError'>"


def test_denied(control):
    control.grant("user", "none")
    with vaultlet.Vaultlet() as handle, pytest.raises(vaultlet.DeniedError) as raised:
        handle.get(REFERENCE)
    assert (raised.value.id, raised.value.status) == ("vault-forbidden", 403)
    assert raised.value.code == "ForbiddenByRbac"
    assert "Key Vault Secrets User" in str(raised.value)


def test_malformed():
    with pytest.raises(ValueError) as raised:
        vaultlet.get("db-password")
    assert isinstance(raised.value, vaultlet.InvalidArgumentError)
    assert raised.value.id == "reference-malformed"
    with pytest.raises(vaultlet.InvalidArgumentError):
        vaultlet.get("akv://my-key-vault/db-password?json=/user")


def test_unavailable():
    variables = {**os.environ, "NO_PROXY": "*"}
    rule = "nowhere.vault.azure.net:443:127.0.0.1:1"
    with vaultlet.Vaultlet(variables=variables, resolve=rule) as handle:
        with pytest.raises(ConnectionError) as raised:
            handle.get("akv://nowhere/db-password")
    assert isinstance(raised.value, vaultlet.UnavailableError)
    assert raised.value.id == "vault-unreachable"


def test_no_identity():
    with vaultlet.Vaultlet(identity="azureml-obo,workload-identity", variables={}) as handle:
        with pytest.raises(vaultlet.NotConfiguredError) as raised:
            handle.token()
    first, second = raised.value.attempts
    assert (first.source, first.outcome) == ("azureml-obo", "not-configured")
    assert second.source == "workload-identity" and second.message


def test_a_setting_in_the_environment():
    program = "import vaultlet\ntry: vaultlet.whoami()\nexcept vaultlet.ConfigurationError as e: print(e.id)"
    environment = {**os.environ, "VAULTLET_TIMEOUT": "soon"}
    run = [sys.executable, "-c", program]
    assert subprocess.check_output(run, env=environment, text=True) == "setting-malformed\n"


def test_every_kind_has_its_class():
    names = [
        "usage invalid-argument not-found disabled unavailable timeout internal conflict throttled",
        "denied configuration not-configured unauthenticated",
    ]
    from vaultlet import _errors

    for kind in " ".join(names).split():
        error = _errors._exception("line", {"kind": kind, "id": "x"})
        name = "".join(part.capitalize() for part in kind.split("-")) + "Error"
        assert type(error) is getattr(vaultlet, name) is not vaultlet.VaultletError
        assert isinstance(error, vaultlet.VaultletError) and error.kind == kind
    assert type(_errors._exception("line", {"kind": "tomorrow", "id": "x"})) is vaultlet.VaultletError
    cancelled = _errors._exception("line", {"kind": "timeout", "id": "cancelled"})
    assert type(cancelled) is vaultlet.CancelledError


def test_pickled_and_copied():
    with vaultlet.Vaultlet(identity="azureml-obo", variables={}) as handle:
        with pytest.raises(vaultlet.NotConfiguredError) as raised:
            handle.token()
    for error in (pickle.loads(pickle.dumps(raised.value)), copy.copy(raised.value)):
        assert type(error) is vaultlet.NotConfiguredError
        assert str(error) == str(raised.value)
        assert error.__dict__ == raised.value.__dict__
        assert error.attempts[0].source == "azureml-obo"


def test_an_error_can_be_constructed_by_hand():
    assert str(vaultlet.NotFoundError("mine")) == "mine"
    assert vaultlet.NotFoundError("mine").attempts == ()
