"""Vaultlet's credentials in Azure's own packages: their policies and clients ask for tokens by their
protocol, and what they send has them."""

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
from azure.core.pipeline.transport import HttpRequest, RequestsTransport
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
    """A service that keeps what it was shown, and shows nothing of it."""

    def __init__(self):
        shown = self.shown = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                shown.append(self.headers.get("Authorization", ""))
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

    def was_shown(self, token):
        return bool(self.shown) and set(self.shown) == {f"Bearer {token}"}

    def close(self):
        self._server.shutdown()
        self._server.server_close()


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
    with Pipeline(RequestsTransport(), [Plain(), policy]) as pipeline:
        for _ in range(3):
            pipeline.run(HttpRequest("GET", service.url), enforce_https=False)
    assert service.was_shown(credential.get_token(STORAGE).token)


class Plain:
    """Bearer tokens are for TLS; this service is on loopback and has none."""

    def __new__(cls):
        from azure.core.pipeline.policies import SansIOHTTPPolicy

        class Policy(SansIOHTTPPolicy):
            def on_request(self, request):
                request.context.options.setdefault("enforce_https", False)

        return Policy()


def test_asyncs_policy(service):
    from azure.core.pipeline.transport import AioHttpTransport

    async def main():
        async with aio.DefaultAzureCredential() as credential:
            policy = AsyncBearerTokenCredentialPolicy(credential, STORAGE)
            transport = AioHttpTransport(use_env_settings=False)
            async with AsyncPipeline(transport, [Plain(), policy]) as pipeline:
                await pipeline.run(HttpRequest("GET", service.url))
            token = await credential.get_token(STORAGE)
            info = await credential.get_token_info(STORAGE)
            assert info.token == token.token and not shows(repr(info) + repr(token))
            with pytest.raises(ValueError, match="one scope"):
                await credential.get_token()
            return token.token

    assert service.was_shown(asyncio.run(main()))


def test_blobs(service, caplog, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    credential = DefaultAzureCredential()
    with caplog.at_level(logging.DEBUG):
        with blob(BlobClient, service, credential) as client:
            assert b"content" in client.download_blob().readall()
    assert service.was_shown(credential.get_token(STORAGE).token)


def test_blobs_for_asyncio(service):
    async def main():
        async with aio.DefaultAzureCredential() as credential:
            async with blob(AsyncBlobClient, service, credential) as client:
                stream = await client.download_blob()
                assert b"content" in await stream.readall()
            return (await credential.get_token(STORAGE)).token

    assert service.was_shown(asyncio.run(main()))


def blob(kind, service, credential):
    client = kind(
        account_url="https://account.blob.core.windows.net",
        container_name="container",
        blob_name="blob",
        credential=credential,
        _additional_pipeline_policies=[],
        per_retry_policies=[],
        per_call_policies=[ToService(service.url)],
    )
    return client


class ToService:
    """Sends to the local service what is meant for the real one, once it is authorised."""

    def __new__(cls, url):
        from azure.core.pipeline.policies import SansIOHTTPPolicy

        class Policy(SansIOHTTPPolicy):
            def on_request(self, request):
                path = request.http_request.url.partition("windows.net")[2]
                request.http_request.url = url + path
                request.context.options["enforce_https"] = False

        return Policy()


# It uses what its own dependencies call deprecated.
@pytest.mark.filterwarnings("ignore")
def test_machine_learning(service, monkeypatch):
    from azure.ai.ml import MLClient

    monkeypatch.setenv("NO_PROXY", "*")
    credential = AzureMLOnBehalfOfCredential()
    client = MLClient(
        credential, "00000000-0000-0000-0000-000000000000", "group", "workspace", base_url=service.url
    )
    assert client.workspace_name == "workspace"
    assert client._credential is credential
    token = client._credential.get_token("https://management.azure.com/.default")
    assert token.token.startswith("eyJ")
