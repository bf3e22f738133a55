"""The same calls for asyncio: `await vaultlet.aio.get("akv://my-key-vault/db-password")`.

No call takes a thread or holds up the loop. Cancelling the task cancels its call.
"""

import asyncio

from ._vaultlet import Vaultlet, _default

__all__ = ["AsyncVaultlet", "get", "get_many", "list", "plan", "token", "versions", "whoami"]


class AsyncVaultlet:
    """A handle as `vaultlet.Vaultlet`, with the same options, for tasks of any loop."""

    __slots__ = ("__weakref__", "_handle")

    def __init__(self, **options):
        self._handle = Vaultlet(**options)

    async def get(self, reference, **call):
        """Get a secret: two requests for the first of a vault, one for each further one."""
        return await _ask(self._handle, "get", (reference,), call)

    async def get_many(self, references, **call):
        """Get several secrets at once, in their order: all, or the first error."""
        return await _ask(self._handle, "get_many", (references,), call)

    async def list(self, vault, **call):
        """List a vault's secrets, all of them, without values."""
        return await _ask(self._handle, "list", (vault,), call)

    async def versions(self, reference, **call):
        """List the versions of a secret, all of them, without values."""
        return await _ask(self._handle, "versions", (reference,), call)

    async def token(self, resource=None, *, scope=None, tenant=None, claims=None, **call):
        """Get an access token. One request, unless the cache has it."""
        return await _ask(self._handle, "token", (resource, scope, tenant, claims), call)

    async def whoami(self, resource=None, *, scope=None, tenant=None, claims=None, **call):
        """Say whose token is had here, without the token: the identity to grant a role to."""
        return await _ask(self._handle, "whoami", (resource, scope, tenant, claims), call)

    async def plan(self, reference=None, **call):
        """Say what the credentials would read and whom they would talk to. No network."""
        return await _ask(self._handle, "plan", (reference,), call)

    async def close(self):
        """Close it. Calls that run go on."""
        self._handle.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await self.close()

    def __repr__(self):
        return f"Async{self._handle!r}"


async def get(reference, **call):
    """Get a secret: two requests for the first of a vault, one for each further one."""
    return await _ask(_default(), "get", (reference,), call)


async def get_many(references, **call):
    """Get several secrets at once, in their order: all, or the first error."""
    return await _ask(_default(), "get_many", (references,), call)


async def list(vault, **call):
    """List a vault's secrets, all of them, without values."""
    return await _ask(_default(), "list", (vault,), call)


async def versions(reference, **call):
    """List the versions of a secret, all of them, without values."""
    return await _ask(_default(), "versions", (reference,), call)


async def token(resource=None, *, scope=None, tenant=None, claims=None, **call):
    """Get an access token. One request, unless the cache has it."""
    return await _ask(_default(), "token", (resource, scope, tenant, claims), call)


async def whoami(resource=None, *, scope=None, tenant=None, claims=None, **call):
    """Say whose token is had here, without the token: the identity to grant a role to."""
    return await _ask(_default(), "whoami", (resource, scope, tenant, claims), call)


async def plan(reference=None, **call):
    """Say what the credentials would read and whom they would talk to. No network."""
    return await _ask(_default(), "plan", (reference,), call)


async def _ask(handle, name, arguments, call):
    loop = asyncio.get_running_loop()
    answer = loop.create_future()

    def done(error, result):
        try:
            loop.call_soon_threadsafe(_settle, answer, error, result)
        except RuntimeError:
            # The loop is closed, and nobody waits.
            if not loop.is_closed():
                raise

    started = handle._start(done, name, arguments, call)
    try:
        return await answer
    finally:
        # It matters only where the task is cancelled.
        started.cancel()


def _settle(answer, error, result):
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
