"""Calls and their options, by the managed identity and on behalf of the user."""

import json
import os
import threading

import pytest
import vaultlet
from conftest import REFERENCE, VALUE


def test_get_many_in_order():
    found = vaultlet.get_many([REFERENCE, "akv://my-key-vault/other"])
    assert [secret.name for secret in found] == ["db-password", "other"]
    assert vaultlet.get_many(iter([REFERENCE]))[0].reveal() == VALUE
    assert vaultlet.get_many([]) == []
    with pytest.raises(TypeError, match=r"there is get\(\)"):
        vaultlet.get_many(REFERENCE)
    with pytest.raises(vaultlet.NotFoundError):
        vaultlet.get_many([REFERENCE, "akv://my-key-vault/missing"])


def test_list_and_versions():
    listed = vaultlet.list("my-key-vault")
    assert [one.name for one in listed] == ["db-password", "other", "settings"]
    assert vaultlet.list("akv://my-key-vault") == listed
    assert vaultlet.list(vault="https://my-key-vault.vault.azure.net/") == listed
    assert {one.version for one in listed} == {None}
    (version,) = vaultlet.versions(REFERENCE)
    assert version.version == vaultlet.get(REFERENCE).version
    assert version.enabled is True
    with pytest.raises(vaultlet.NotFoundError) as raised:
        vaultlet.versions("akv://my-key-vault/missing")
    assert raised.value.id == "secret-not-found"


def test_a_pointer_into_json():
    assert vaultlet.get("akv://my-key-vault/settings?json=/user").reveal() == VALUE


def test_two_requests_for_the_first_secret_and_one_for_each_further(control):
    with vaultlet.Vaultlet() as handle:
        for _ in range(3):
            handle.get(REFERENCE)
    counters = control.counters()
    assert counters["tokensIssued"] == 1, counters
    assert counters["vault"]["get"] == {"200": 3}, counters


def test_the_identity_that_a_token_belongs_to():
    user = vaultlet.whoami()
    assert (user.source, user.endpoint) == ("azureml-obo", "job")
    assert user.upn.endswith("@contoso.com") or "…@" in user.upn
    with vaultlet.Vaultlet(identity=["managed-identity"]) as compute:
        assert compute.whoami().endpoint == "azure-ml"
        token = compute.token("https://storage.azure.com")
        assert token.resource == "https://storage.azure.com"
        scope = compute.token(scope="https://storage.azure.com/.default")
        assert scope.reveal() == token.reveal()
    with pytest.raises(vaultlet.UsageError):
        vaultlet.token("https://a.example", scope="https://b.example/.default")


def test_plan_needs_no_network(control):
    plan = vaultlet.plan(REFERENCE)
    assert plan.vault == ("my-key-vault.vault.azure.net", 443, True, "vault")
    assert "MSI_ENDPOINT" in plan.variables
    assert "MSI_SECRET" in plan.secrets and "AZURE_CLIENT_ID" not in plan.secrets
    assert plan.servers and plan.servers[0].purpose == "identity-endpoint"
    assert vaultlet.plan().vault is None
    assert control.counters()["tokensIssued"] == 0


def test_options(control, tmp_path):
    with vaultlet.Vaultlet(exclude="azureml-obo", timeout=30, concurrency=1) as handle:
        assert handle.whoami().source == "managed-identity"
    # Without any variable no identity is configured, and no proxy leads to the vault.
    with vaultlet.Vaultlet(variables={}, identity="environment") as handle:
        with pytest.raises(vaultlet.NotConfiguredError) as raised:
            handle.token()
        assert [attempt.source for attempt in raised.value.attempts] == ["environment"]
    with pytest.raises(vaultlet.ConfigurationError) as raised:
        vaultlet.Vaultlet(ca_file=tmp_path / "missing.pem")
    assert raised.value.id == "ca-file"
    ca = os.environ["SSL_CERT_FILE"]
    variables = {k: v for k, v in os.environ.items() if k != "SSL_CERT_FILE"}
    with vaultlet.Vaultlet(variables=variables, ca_file=[ca]) as handle:
        assert handle.get(REFERENCE).reveal() == VALUE
    with pytest.raises(TypeError, match="unexpected keyword argument 'timeuot'"):
        vaultlet.Vaultlet(timeuot=3)
    with pytest.raises(TypeError, match="callable"):
        vaultlet.Vaultlet(on_prompt="no")
    with pytest.raises(TypeError):
        vaultlet.Vaultlet(ca_file=3)


def test_options_of_a_call():
    managed = os.environ["DEFAULT_IDENTITY_CLIENT_ID"]
    with vaultlet.Vaultlet(identity="managed-identity") as handle:
        assert handle.token(client_id=managed).client_id == managed
        with pytest.raises(vaultlet.UnauthenticatedError):
            handle.token(client_id="c0ffee00-0000-4000-8000-00000000ffff")
        with pytest.raises(vaultlet.UsageError):
            handle.get(REFERENCE, client_id=managed, object_id=managed)
        assert handle.get(REFERENCE, timeout=None, client_id=None).reveal() == VALUE
    for wrong in (0, -1, float("nan"), float("inf"), 86_401):
        with pytest.raises(vaultlet.InvalidArgumentError) as raised:
            vaultlet.get(REFERENCE, timeout=wrong)
        assert isinstance(raised.value, ValueError)
    with pytest.raises(TypeError, match="unexpected keyword argument 'tiemout'"):
        vaultlet.get(REFERENCE, tiemout=1)
    with pytest.raises(TypeError):
        vaultlet.get(REFERENCE, timeout="1")
    with pytest.raises(TypeError):
        vaultlet.get(None)


def test_timeout(silent):
    with vaultlet.Vaultlet(allow_http_loopback=True) as handle:
        with pytest.raises(vaultlet.TimeoutError) as raised:
            handle.get(silent.reference, timeout=0.05)
    assert isinstance(raised.value, TimeoutError)
    assert (raised.value.kind, raised.value.id) == ("timeout", "timeout")
    assert silent.gone.wait(30)


def test_cancelled_from_another_thread(silent):
    cancel = vaultlet.Cancel()
    silent.when_asked = cancel.cancel
    with vaultlet.Vaultlet(allow_http_loopback=True) as handle:
        with pytest.raises(vaultlet.CancelledError) as raised:
            handle.get(silent.reference, cancel=cancel)
    assert raised.value.id == "cancelled"
    assert cancel.cancelled and repr(cancel) == "Cancel(cancelled)"
    assert silent.gone.wait(30)


def test_a_closed_handle_refuses_calls():
    handle = vaultlet.Vaultlet()
    assert repr(handle) == "Vaultlet()"
    handle.close()
    handle.close()
    assert repr(handle) == "Vaultlet(closed)"
    with pytest.raises(vaultlet.UsageError, match="closed"):
        handle.get(REFERENCE)


def test_closing_leaves_running_calls(silent):
    handle, cancel, ended = vaultlet.Vaultlet(allow_http_loopback=True), vaultlet.Cancel(), []

    def call():
        try:
            handle.get(silent.reference, cancel=cancel)
        except vaultlet.VaultletError as error:
            ended.append(error.id)

    thread = threading.Thread(target=call)
    thread.start()
    assert silent.asked.wait(30)
    handle.close()
    assert not silent.gone.is_set()
    cancel.cancel()
    thread.join()
    assert ended == ["cancelled"]


def test_plain_http_only_when_allowed():
    reference = os.environ["HTTP"] + "/secrets/db-password"
    with vaultlet.Vaultlet(allow_http_loopback=True) as handle:
        assert handle.get(reference).reveal() == VALUE
    with pytest.raises(vaultlet.InvalidArgumentError):
        vaultlet.get(reference)


def test_exported_names():
    public = {name for name in dir(vaultlet) if not name.startswith("_")}
    for name in public:
        assert getattr(vaultlet, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'gte'"):
        vaultlet.gte
    star = {}
    exec("from vaultlet import *", star)
    assert "list" not in star and "TimeoutError" not in star and "get" in star
    assert json.dumps(vaultlet.whoami().notes)
