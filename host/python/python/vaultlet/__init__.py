"""Azure Key Vault secrets for a training job.

    import vaultlet
    password = vaultlet.get("akv://my-key-vault/db-password").reveal()

The identity is found as by the command `vaultlet get`: on Azure ML the compute's managed identity,
or the user on whose behalf the job runs. The functions here use one handle of the process, which
is opened when first used; `Vaultlet(...)` opens others, and `vaultlet.aio` is the same for asyncio.
"""

from ._vaultlet import Cancel, Secret, Token, Vaultlet, __version__, _default

# `list` and `TimeoutError` are here, too, but not for `import *`: they would hide Python's own.
__all__ = [
    "Attempt",
    "Cancel",
    "CancelledError",
    "ConfigurationError",
    "ConflictError",
    "DeniedError",
    "DisabledError",
    "Identity",
    "InternalError",
    "InvalidArgumentError",
    "NotConfiguredError",
    "NotFoundError",
    "Plan",
    "Properties",
    "Secret",
    "Server",
    "ThrottledError",
    "Token",
    "UnauthenticatedError",
    "UnavailableError",
    "UsageError",
    "Vaultlet",
    "VaultletError",
    "__version__",
    "get",
    "get_many",
    "plan",
    "token",
    "versions",
    "whoami",
]


def get(reference, **call):
    """Get a secret: two requests for the first of a vault, one for each further one."""
    return _default().get(reference, **call)


def get_many(references, **call):
    """Get several secrets at once, in their order: all, or the first error."""
    return _default().get_many(references, **call)


def list(vault, **call):
    """List a vault's secrets, all of them, without values."""
    return _default().list(vault, **call)


def versions(reference, **call):
    """List the versions of a secret, all of them, without values."""
    return _default().versions(reference, **call)


def token(resource=None, **call):
    """Get an access token. One request, unless the cache has it."""
    return _default().token(resource, **call)


def whoami(resource=None, **call):
    """Say whose token is had here, without the token: the identity to grant a role to."""
    return _default().whoami(resource, **call)


def plan(reference=None, **call):
    """Say what the credentials would read and whom they would talk to. No network."""
    return _default().plan(reference, **call)


def __getattr__(name):
    # A first secret needs none of these, and importing them takes longer than getting it.
    if name in ("aio", "azure"):
        from importlib import import_module

        return import_module(f".{name}", __name__)
    if name in __all__ or name == "TimeoutError":
        from . import _errors, _records

        value = getattr(_records, name, None) or getattr(_errors, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__, "TimeoutError", "aio", "azure"})
