"""Where `vaultlet.azure.SecretClient` differs from Azure's client. That they agree everywhere else is
tested by a program that runs with both (`tests/tests/python/azure.rs`)."""

import asyncio
import os
import pickle
import subprocess
import sys
import warnings

import azure.core.exceptions
import azure.identity
import pytest
import vaultlet
import vaultlet.azure
import vaultlet.azure.aio
from conftest import VALUE, shows
from vaultlet.azure import (
    AzureMLOnBehalfOfCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    SecretClient,
    VaultletCredential,
    exceptions,
)

URL = "https://my-key-vault.vault.azure.net/"


@pytest.fixture
def client():
    return SecretClient(URL)


def test_a_secret_is_not_shown(client):
    secret = client.get_secret("db-password")
    assert secret.value == VALUE
    assert not shows(repr(secret) + str(secret) + f"{secret}" + repr(secret.properties))
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert repr(secret) == f"<KeyVaultSecret [{secret.id}]>"
    assert repr(client) == "<SecretClient [https://my-key-vault.vault.azure.net]>"


@pytest.mark.parametrize(
    "credential, source",
    [
        (None, "azureml-obo"),
        (VaultletCredential(), "azureml-obo"),
        (DefaultAzureCredential(), "managed-identity"),
        (DefaultAzureCredential(exclude_environment_credential=True), "managed-identity"),
        (ManagedIdentityCredential(), "managed-identity"),
        (ManagedIdentityCredential(client_id=os.environ["DEFAULT_IDENTITY_CLIENT_ID"]), "managed-identity"),
        (AzureMLOnBehalfOfCredential(), "azureml-obo"),
        (VaultletCredential(variables=dict(os.environ), exclude=["azureml-obo"]), "managed-identity"),
    ],
)
def test_which_identity_a_credential_uses(credential, source):
    client = SecretClient(URL, credential=credential)
    assert client.get_secret("db-password").value == VALUE
    assert client._handle.whoami().source == source


def test_handles_are_shared():
    one, other = DefaultAzureCredential(), DefaultAzureCredential()
    assert one._handle is other._handle
    assert ManagedIdentityCredential()._handle is not one._handle
    given = VaultletCredential(variables=dict(os.environ))
    assert given._handle is given._handle
    assert given._handle is not VaultletCredential(variables=dict(os.environ))._handle


def test_azures_own_credentials():
    with pytest.warns(UserWarning, match="import it from vaultlet.azure"):
        client = SecretClient(URL, azure.identity.DefaultAzureCredential())
    assert client.get_secret("db-password").value == VALUE
    for foreign in (azure.identity.ManagedIdentityCredential(), object(), "a token"):
        with pytest.raises(TypeError, match="of vaultlet.azure, or none"):
            SecretClient(URL, foreign)


def test_options_that_choose_an_identity_are_not_ignored():
    with pytest.raises(TypeError, match="AZURE_AUTHORITY_HOST"):
        DefaultAzureCredential(authority="https://login.microsoftonline.us")
    with pytest.raises(ValueError, match="one of client_id"):
        ManagedIdentityCredential(client_id="a", identity_config={"object_id": "b"})
    with pytest.raises(ValueError, match="one of client_id"):
        ManagedIdentityCredential(identity_config={"mi_res_id": "b"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DefaultAzureCredential(logging_enable=True, connection_timeout=3)


def test_methods_that_write_are_not_implemented(client):
    for call in (
        lambda: client.set_secret("db-password", "new"),
        lambda: client.update_secret_properties("db-password", enabled=False),
        lambda: client.begin_delete_secret("db-password"),
        lambda: client.purge_deleted_secret("db-password"),
        lambda: client.list_deleted_secrets(),
    ):
        with pytest.raises(NotImplementedError, match="use SecretClient of azure.keyvault.secrets"):
            call()
    with pytest.raises(NotImplementedError, match="as they are stored"):
        client.get_secret("db-password", out_content_type="application/x-pem-file")
    ours = {name for name in dir(client) if not name.startswith("_")}
    from azure.keyvault.secrets import SecretClient as Azures

    assert {name for name in dir(Azures) if not name.startswith("_")} - ours == set()


def test_errors_are_instances_of_both_classes(client):
    with pytest.raises(vaultlet.NotFoundError) as raised:
        client.get_secret("missing")
    error = raised.value
    assert isinstance(error, azure.core.exceptions.ResourceNotFoundError)
    assert exceptions.ResourceNotFoundError is azure.core.exceptions.ResourceNotFoundError
    assert (error.status_code, error.reason, error.error.code) == (404, "Not Found", "SecretNotFound")
    assert error.id == "secret-not-found" and error.help
    assert str(error).endswith("(secret-not-found)") and error.message == str(error)
    assert error.response.headers["x-ms-request-id"] == error.request_id
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)
    assert (again.status_code, again.id) == (404, "secret-not-found")


def test_denied(client, control):
    control.grant("user", "none", "other")
    with pytest.raises(azure.core.exceptions.HttpResponseError) as raised:
        client.get_secret("other")
    error = raised.value
    assert isinstance(error, vaultlet.DeniedError)
    assert (error.status_code, error.error.code) == (403, "Forbidden")
    assert error.error.innererror == {"code": "ForbiddenByRbac"}


def test_no_identity():
    credential = VaultletCredential(identity="environment", variables={})
    with pytest.raises(azure.core.exceptions.ClientAuthenticationError) as raised:
        credential.get_token("https://vault.azure.net/.default")
    assert isinstance(raised.value, vaultlet.NotConfiguredError)
    assert isinstance(raised.value, azure.identity.CredentialUnavailableError)


def test_unreachable():
    rule = "nowhere.vault.azure.net:443:127.0.0.1:1"
    credential = VaultletCredential(variables={**os.environ, "NO_PROXY": "*"}, resolve=rule)
    client = SecretClient("https://nowhere.vault.azure.net", credential)
    with pytest.raises(azure.core.exceptions.ServiceRequestError) as raised:
        client.get_secret("db-password")
    assert isinstance(raised.value, ConnectionError)


def test_timeout(silent):
    url = silent.reference.partition("/secrets/")[0]
    client = SecretClient(url, VaultletCredential(allow_http_loopback=True), timeout=0.05)
    with pytest.raises(azure.core.exceptions.ServiceResponseError) as raised:
        client.get_secret("name")
    assert isinstance(raised.value, vaultlet.TimeoutError)


def test_malformed(client):
    for name in ("no such name", "a/b", "a?x=y", "ä", "../x"):
        with pytest.raises(azure.core.exceptions.HttpResponseError) as raised:
            client.get_secret(name)
        assert raised.value.status_code == 400
        assert isinstance(raised.value, vaultlet.InvalidArgumentError)
    for url in ("", "my-key-vault", "ftp://x", "https://my-key-vault.vault.azure.net/secrets/x"):
        with pytest.raises(ValueError, match="vault_url"):
            SecretClient(url)
    with pytest.raises(ValueError):
        client.get_secret("")


def test_asyncio():
    async def main():
        async with vaultlet.azure.aio.SecretClient(URL) as client:
            secret = await client.get_secret("db-password")
            assert secret.value == VALUE
            same = await client.get_secret("db-password", secret.properties.version)
            assert same.id == secret.id
            names = [one.name async for one in client.list_properties_of_secrets()]
            assert names == ["db-password", "other", "settings"]
            pages = client.list_properties_of_secrets(max_page_size=2).by_page()
            sizes = [len([item async for item in page]) async for page in pages]
            assert sizes == [2, 1]
            versions = client.list_properties_of_secret_versions("db-password")
            assert [one.version async for one in versions] == [secret.properties.version]
            with pytest.raises(azure.core.exceptions.ResourceNotFoundError):
                await client.get_secret("missing")
            missing = client.list_properties_of_secret_versions("missing")
            assert [one async for one in missing] == []
            with pytest.raises(NotImplementedError):
                await client.set_secret("db-password", "new")

    asyncio.run(main())


def test_pages(client):
    listed = client.list_properties_of_secrets(max_page_size=2)
    pages = listed.by_page()
    assert [item.name for item in next(pages)] == ["db-password", "other"]
    later = client.list_properties_of_secrets(max_page_size=2).by_page(pages.continuation_token)
    assert [[item.name for item in page] for page in later] == [["settings"]]
    assert [[item.name for item in page] for page in pages] == [["settings"]]


WITHOUT_AZURE = """
import sys
sys.modules["azure"] = None
from vaultlet import NotFoundError
from vaultlet.azure import DefaultAzureCredential, SecretClient
from vaultlet.azure.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
import pickle
client = SecretClient("https://my-key-vault.vault.azure.net", DefaultAzureCredential())
for name in ("missing", "no such name"):
    try:
        client.get_secret(name)
    except HttpResponseError as error:
        print(type(error).__name__, error.status_code, error.reason, error.error.code)
        print(isinstance(error, NotFoundError), isinstance(error, ResourceNotFoundError))
        print(str(pickle.loads(pickle.dumps(error))) == str(error) == error.message)
"""


def test_without_azure_core():
    ended = subprocess.run([sys.executable, "-c", WITHOUT_AZURE], capture_output=True, text=True)
    told = [
        "ResourceNotFoundError 404 Not Found SecretNotFound\nTrue True\nTrue\n",
        "HttpResponseError 400 Bad Request BadParameter\nFalse False\nTrue\n",
    ]
    assert (ended.stdout, ended.stderr) == ("".join(told), "")
