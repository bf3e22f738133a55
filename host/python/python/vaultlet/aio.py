"""The functions of `vaultlet` for asyncio: `await vaultlet.aio.get("akv://my-key-vault/db-password")`.

Calls run on threads of the handle and never block the event loop. Cancelling a task cancels its call.
"""

from __future__ import annotations

import asyncio

from ._vaultlet import Vaultlet, _default

TYPE_CHECKING = False
if TYPE_CHECKING:
    from builtins import list as _list
    from collections.abc import Iterable, Mapping
    from typing import Any

    from typing_extensions import Self, Unpack

    from ._options import AsyncCallOptions, AsyncTokenOptions, HandleOptions
    from ._records import Identity, Plan, Properties
    from ._vaultlet import Secret, Token

__all__ = [
    "AsyncVaultlet",
    "get",
    "get_many",
    "list",
    "plan",
    "resolve_environment",
    "token",
    "versions",
    "whoami",
]


class AsyncVaultlet:
    """A handle for tasks of any event loop, with the options of `vaultlet.Vaultlet`."""

    __slots__ = ("__weakref__", "_handle")

    def __init__(self, **options: Unpack[HandleOptions]) -> None:
        self._handle = Vaultlet(**options)

    async def get(self, reference: str, **call: Unpack[AsyncCallOptions]) -> Secret:
        """Get a secret. The first secret of a vault takes two requests, each further one takes one."""
        secret: Secret = await _call(self._handle, "get", (reference,), call)
        return secret

    async def get_many(
        self, references: Iterable[str], **call: Unpack[AsyncCallOptions]
    ) -> _list[Secret]:
        """Get several secrets at once, in the order of the references: all, or the first error."""
        secrets: _list[Secret] = await _call(self._handle, "get_many", (references,), call)
        return secrets

    async def resolve_environment(
        self,
        variables: Mapping[str, str] | None = None,
        *,
        only: str | Iterable[str] | None = None,
        **call: Unpack[AsyncCallOptions],
    ) -> dict[str, Secret]:
        """Get the secrets that environment variables refer to, by the names of the variables: all, or an
        error whose `variables` says which ones failed. The environment is not changed."""
        arguments = (variables, only)
        secrets: dict[str, Secret] = await _call(
            self._handle, "resolve_environment", arguments, call
        )
        return secrets

    async def list(self, vault: str, **call: Unpack[AsyncCallOptions]) -> _list[Properties]:
        """List all secrets of a vault, without values."""
        listing: _list[Properties] = await _call(self._handle, "list", (vault,), call)
        return listing

    async def versions(self, reference: str, **call: Unpack[AsyncCallOptions]) -> _list[Properties]:
        """List all versions of a secret, newest first, without values."""
        listing: _list[Properties] = await _call(self._handle, "versions", (reference,), call)
        return listing

    async def token(
        self,
        resource: str | None = None,
        *,
        scope: str | None = None,
        tenant: str | None = None,
        claims: str | None = None,
        **call: Unpack[AsyncCallOptions],
    ) -> Token:
        """Get an access token: from the cache, or with one request."""
        request = (resource, scope, tenant, claims)
        token: Token = await _call(self._handle, "token", request, call)
        return token

    async def whoami(
        self,
        resource: str | None = None,
        *,
        scope: str | None = None,
        tenant: str | None = None,
        claims: str | None = None,
        **call: Unpack[AsyncCallOptions],
    ) -> Identity:
        """Tell which identity this machine's token belongs to: the one to grant a role to."""
        request = (resource, scope, tenant, claims)
        identity: Identity = await _call(self._handle, "whoami", request, call)
        return identity

    async def plan(self, reference: str | None = None, **call: Unpack[AsyncCallOptions]) -> Plan:
        """Tell what the credentials would read and which servers they would talk to. No network."""
        plan: Plan = await _call(self._handle, "plan", (reference,), call)
        return plan

    async def close(self) -> None:
        """Close the handle. Calls that are running go on."""
        self._handle.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"Async{self._handle!r}"


async def get(reference: str, **call: Unpack[AsyncCallOptions]) -> Secret:
    """Get a secret. The first secret of a vault takes two requests, each further one takes one."""
    return await _shared().get(reference, **call)


async def get_many(
    references: Iterable[str], **call: Unpack[AsyncCallOptions]
) -> _list[Secret]:
    """Get several secrets at once, in the order of the references: all, or the first error."""
    return await _shared().get_many(references, **call)


async def resolve_environment(
    variables: Mapping[str, str] | None = None,
    *,
    only: str | Iterable[str] | None = None,
    **call: Unpack[AsyncCallOptions],
) -> dict[str, Secret]:
    """Get the secrets that environment variables refer to, by the names of the variables: all, or an error
    whose `variables` says which ones failed. The environment is not changed."""
    return await _shared().resolve_environment(variables, only=only, **call)


async def list(vault: str, **call: Unpack[AsyncCallOptions]) -> _list[Properties]:
    """List all secrets of a vault, without values."""
    return await _shared().list(vault, **call)


async def versions(reference: str, **call: Unpack[AsyncCallOptions]) -> _list[Properties]:
    """List all versions of a secret, newest first, without values."""
    return await _shared().versions(reference, **call)


async def token(resource: str | None = None, **call: Unpack[AsyncTokenOptions]) -> Token:
    """Get an access token: from the cache, or with one request."""
    return await _shared().token(resource, **call)


async def whoami(resource: str | None = None, **call: Unpack[AsyncTokenOptions]) -> Identity:
    """Tell which identity this machine's token belongs to: the one to grant a role to."""
    return await _shared().whoami(resource, **call)


async def plan(reference: str | None = None, **call: Unpack[AsyncCallOptions]) -> Plan:
    """Tell what the credentials would read and which servers they would talk to. No network."""
    return await _shared().plan(reference, **call)


def _shared() -> AsyncVaultlet:
    """The handle that the functions of `vaultlet` use."""
    shared = object.__new__(AsyncVaultlet)
    shared._handle = _default()
    return shared


async def _call(
    handle: Vaultlet, name: str, arguments: tuple[Any, ...], call: Mapping[str, Any]
) -> Any:
    loop = asyncio.get_running_loop()
    result = loop.create_future()

    def done(error: BaseException | None, value: object) -> None:
        try:
            loop.call_soon_threadsafe(_settle, result, error, value)
        except RuntimeError:
            # The loop is closed, and nobody waits.
            if not loop.is_closed():
                raise

    started = handle._start(done, name, arguments, dict(call))
    try:
        return await result
    finally:
        # This matters only where the task is cancelled.
        started.cancel()


def _settle(result: asyncio.Future[Any], error: BaseException | None, value: object) -> None:
    if result.done():
        return
    if error is None:
        result.set_result(value)
    else:
        result.set_exception(error)
