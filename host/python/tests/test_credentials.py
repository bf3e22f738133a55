"""Vaultlet's credentials in Azure's own packages, whose policies and clients ask for tokens by Azure's
protocol and send them."""

import asyncio
import http.server
import json
import logging
import threading

import pytest
import vaultlet
from azure.core.credentials import SupportsTokenInfo, TokenCredential
from azure.core.pipeline import AsyncPipeline, Pipeline
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    BearerTokenCredentialPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport, HttpRequest, RequestsTransport
from azure.storage.blob import BlobClient
from azure.storage.blob.aio import BlobClient as AsyncBlobClient
from conftest import shows
from vaultlet.azure import (
    AzureMLOnBehalfOfCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    VaultletCredential,
    aio,
)

STORAGE = "https://storage.azure.com/.default"


class Service:
    """A service that remembers which tokens it received, and never shows them."""

    def __init__(self):
        received = self.received = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                received.append(self.headers.get("Authorization", ""))
                body = json.dumps({"value": "content", "name": "workspace"}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "application/json")
                self.send_header("x-ms-blob-type", "BlockBlob")
                self.send_header("Content-Range", f"bytes 0-{len(body) - 1}/{len(body)}")
                self.send_header("ETag", '"1"')
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def received_only(self, token):
        return bool(self.received) and set(self.received) == {f"Bearer {token}"}

    def close(self):
        self._server.shutdown()
        self._server.server_close()


BLOB = ("https://account.blob.core.windows.net", "container", "blob")


class ToService(RequestsTransport):
    """Sends requests to the local service after they were authorised for the real one."""

    def __init__(self, service):
        super().__init__(use_env_settings=False)
        self._url = service.url

    def send(self, request, **kwargs):
        request.url = f"{self._url}/{request.url.split('/', 3)[3]}"
        return super().send(request, **kwargs)


class AsyncToService(AioHttpTransport):
    """Sends requests to the local service, for asyncio."""

    def __init__(self, service):
        super().__init__(use_env_settings=False)
        self._url = service.url

    async def send(self, request, **kwargs):
        request.url = f"{self._url}/{request.url.split('/', 3)[3]}"
        return await super().send(request, **kwargs)


@pytest.fixture
def service():
    service = Service()
    yield service
    service.close()


def test_protocol(control):
    credential = DefaultAzureCredential()
    assert isinstance(credential, TokenCredential) and isinstance(credential, SupportsTokenInfo)
    token = credential.get_token(STORAGE)
    info = credential.get_token_info(STORAGE, options={"enable_cae": True})
    assert token.token == info.token and token.token.startswith("eyJ")
    assert token == (token.token, token.expires_on)
    assert token.expires_on == info.expires_on > info.refresh_on
    assert info.token_type == "Bearer"
    assert not shows(repr(token) + repr(info) + repr(credential))
    assert control.counters()["tokensIssued"] <= 1
    claims = credential.get_token(STORAGE, claims='{"access_token":{"nbf":{"essential":true}}}')
    assert claims.token.startswith("eyJ")
    with credential as same:
        assert same is credential
    credential.close()
    for scopes in ((), (STORAGE, STORAGE)):
        with pytest.raises(ValueError, match="one scope"):
            credential.get_token(*scopes)
    with pytest.raises(vaultlet.InvalidArgumentError):
        credential.get_token("no scope")


@pytest.mark.parametrize(
    "credential",
    [
        DefaultAzureCredential(),
        ManagedIdentityCredential(),
        AzureMLOnBehalfOfCredential(),
        VaultletCredential(),
    ],
)
def test_policy(credential, service):
    policy = BearerTokenCredentialPolicy(credential, STORAGE)
    with Pipeline(ToService(service), [policy]) as pipeline:
        for _ in range(3):
            pipeline.run(HttpRequest("GET", "https://account.blob.core.windows.net/"))
    assert service.received_only(credential.get_token(STORAGE).token)


def test_asyncs_policy(service):
    async def main():
        async with aio.DefaultAzureCredential() as credential:
            policy = AsyncBearerTokenCredentialPolicy(credential, STORAGE)
            async with AsyncPipeline(AsyncToService(service), [policy]) as pipeline:
                await pipeline.run(HttpRequest("GET", "https://account.blob.core.windows.net/"))
            token = await credential.get_token(STORAGE)
            info = await credential.get_token_info(STORAGE)
            assert info.token == token.token and not shows(repr(info) + repr(token))
            with pytest.raises(ValueError, match="one scope"):
                await credential.get_token()
            return token.token

    assert service.received_only(asyncio.run(main()))


def test_blobs(service, caplog):
    credential = DefaultAzureCredential()
    client = BlobClient(*BLOB, credential=credential, transport=ToService(service))
    with caplog.at_level(logging.DEBUG), client as blob:
        assert b"content" in blob.download_blob().readall()
    assert service.received_only(credential.get_token(STORAGE).token)


def test_blobs_for_asyncio(service):
    async def main():
        async with aio.DefaultAzureCredential() as credential:
            transport = AsyncToService(service)
            async with AsyncBlobClient(*BLOB, credential=credential, transport=transport) as blob:
                stream = await blob.download_blob()
                assert b"content" in await stream.readall()
            return (await credential.get_token(STORAGE)).token

    assert service.received_only(asyncio.run(main()))


# The package uses functions that its dependencies have deprecated.
@pytest.mark.filterwarnings("ignore")
def test_machine_learning(service):
    from azure.ai.ml import MLClient

    credential = AzureMLOnBehalfOfCredential()
    subscription = "00000000-0000-0000-0000-000000000000"
    client = MLClient(credential, subscription, "group", "job", transport=ToService(service))
    assert client.workspaces.get("workspace").name == "workspace"
    token = credential.get_token("https://management.azure.com/.default").token
    assert service.received_only(token)
