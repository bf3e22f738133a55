# pyright: strict
"""Uses the whole package, for type checkers; this program is never run."""

import asyncio
import builtins
from datetime import datetime, timedelta

import vaultlet
import vaultlet.aio
from vaultlet.azure import (
    AzureMLOnBehalfOfCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    SecretClient,
    SecretProperties,
    VaultletCredential,
)
from vaultlet.azure.aio import SecretClient as AsyncSecretClient
from vaultlet.azure.exceptions import HttpResponseError, ResourceNotFoundError


def blocking(cancel: vaultlet.Cancel) -> str:
    secret: vaultlet.Secret = vaultlet.get("akv://v/n", timeout=3, cancel=cancel)
    value: str = secret.reveal()
    raw: bytearray = secret.reveal_bytes()
    created: datetime | None = secret.created_on
    several: list[vaultlet.Secret] = vaultlet.get_many(("akv://v/a", "akv://v/b"), client_id="x")
    listed: list[vaultlet.Properties] = vaultlet.list("v")
    tags: dict[str, str] = vaultlet.versions("akv://v/n")[0].tags
    by_name: dict[str, vaultlet.Secret] = vaultlet.resolve_environment(only=["A"], timeout=3)
    token: vaultlet.Token = vaultlet.token(scope="https://storage.azure.com/.default")
    left: timedelta = token.expires_on - datetime.now(token.expires_on.tzinfo)
    identity: vaultlet.Identity = vaultlet.whoami("https://vault.azure.net", tenant="t")
    plan: vaultlet.Plan = vaultlet.plan()
    server: vaultlet.Server = plan.servers[0]
    told = (by_name, raw, created, several, listed, tags, left, identity.upn, server.port, vaultlet.__version__)
    return f"{value}{told!r}"


def errors() -> float | None:
    try:
        vaultlet.get("akv://v/n")
    except vaultlet.ThrottledError as error:
        return error.retry_after
    except vaultlet.TimeoutError as error:
        as_builtin: builtins.TimeoutError = error
        print(as_builtin)
    except vaultlet.VaultletError as error:
        attempts: tuple[vaultlet.Attempt, ...] = error.attempts
        variables: tuple[vaultlet.FailedVariable, ...] = error.variables
        print([f"{failed.name}: {failed.kind}" for failed in variables])
        print(error.kind, error.id, error.help, error.status, error.code, attempts[0].outcome)
    return None


async def tasks() -> None:
    options: list[str] = ["managed-identity"]
    async with vaultlet.aio.AsyncVaultlet(identity=options, cloud="usgov", timeout=3) as handle:
        secret, token = await asyncio.gather(handle.get("akv://v/n"), handle.token())
        print(await handle.resolve_environment({"A": "akv://v/n"}))
        print(secret.name, token.source, (await vaultlet.aio.whoami()).notes)


def azures() -> str | None:
    credential = DefaultAzureCredential(managed_identity_client_id="x")
    print(credential.get_token("s").token, credential.get_token_info("s").refresh_on)
    with SecretClient("https://v.vault.azure.net", credential) as client:
        properties: list[SecretProperties] = list(client.list_properties_of_secrets())
        for page in client.list_properties_of_secret_versions("n").by_page():
            properties.extend(page)
        try:
            return client.get_secret("n", properties[0].version).value
        except ResourceNotFoundError as error:
            return error.message
        except HttpResponseError as error:
            return error.error.code if error.error else str(error.status_code)


async def azures_tasks() -> None:
    async with AsyncSecretClient("https://v.vault.azure.net") as client:
        async for properties in client.list_properties_of_secrets():
            print((await client.get_secret(properties.name)).value)


def handles() -> None:
    print(ManagedIdentityCredential(), AzureMLOnBehalfOfCredential(), VaultletCredential())
    with vaultlet.Vaultlet(ca_file=["ca.pem"], variables={}, on_prompt=print) as handle:
        handle.get("akv://v/n", object_id="x")
