"""Azure Key Vault secrets for a training job.

    import vaultlet
    password = vaultlet.get("akv://my-key-vault/db-password").reveal()

The identity is found as by the command `vaultlet get`: on Azure ML the compute's managed identity,
or the user on whose behalf the job runs. The functions of this module share one handle, which is
opened on first use. `Vaultlet(...)` opens a handle with settings of its own, and `vaultlet.aio` has
the same functions for asyncio.
"""

from . import _errors
from ._vaultlet import Cancel, Secret, Token, Vaultlet, __version__, _default

# Importing `typing`, `__future__` or the other modules of this package would take longer than
# getting a secret. So annotations that need them are in quotes, and `__getattr__` imports the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from builtins import list as _list
    from collections.abc import Iterable, Mapping

    from typing_extensions import Unpack

    from . import aio as aio, azure as azure
    from ._errors import *
    from ._errors import TimeoutError as TimeoutError
    from ._options import CallOptions, TokenOptions
    from ._records import *

# `list` and `TimeoutError` are left out: `import *` would hide Python's own.
__all__ = [
    "Attempt",
    "Cancel",
    "CancelledError",
    "ConfigurationError",
    "ConflictError",
    "DeniedError",
    "DisabledError",
    "FailedVariable",
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
    "resolve_environment",
    "token",
    "versions",
    "whoami",
]


def get(reference: str, **call: "Unpack[CallOptions]") -> Secret:
    """Get a secret. The first secret of a vault takes two requests, each further one takes one."""
    return _default().get(reference, **call)


def get_many(references: "Iterable[str]", **call: "Unpack[CallOptions]") -> "_list[Secret]":
    """Get several secrets at once, in the order of the references: all, or the first error."""
    return _default().get_many(references, **call)


def resolve_environment(
    variables: "Mapping[str, str] | None" = None,
    *,
    only: "str | Iterable[str] | None" = None,
    **call: "Unpack[CallOptions]",
) -> "dict[str, Secret]":
    """Get the secrets that environment variables refer to, by the names of the variables: all, or an error
    whose `variables` says which ones failed. The environment is not changed."""
    return _default().resolve_environment(variables, only=only, **call)


def list(vault: str, **call: "Unpack[CallOptions]") -> "_list[Properties]":
    """List all secrets of a vault, without values."""
    return _default().list(vault, **call)


def versions(reference: str, **call: "Unpack[CallOptions]") -> "_list[Properties]":
    """List all versions of a secret, newest first, without values."""
    return _default().versions(reference, **call)


def token(resource: "str | None" = None, **call: "Unpack[TokenOptions]") -> Token:
    """Get an access token: from the cache, or with one request."""
    return _default().token(resource, **call)


def whoami(resource: "str | None" = None, **call: "Unpack[TokenOptions]") -> "Identity":
    """Tell which identity this machine's token belongs to: the one to grant a role to."""
    return _default().whoami(resource, **call)


def plan(reference: "str | None" = None, **call: "Unpack[CallOptions]") -> "Plan":
    """Tell what the credentials would read and which servers they would talk to. No network."""
    return _default().plan(reference, **call)


def __getattr__(name: str) -> object:
    if name in ("aio", "azure"):
        from importlib import import_module

        return import_module(f".{name}", __name__)
    if name in __all__ or name == "TimeoutError":
        value = getattr(_errors, name, None)
        if value is None:
            from . import _records

            value = getattr(_records, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> "_list[str]":
    return sorted({*globals(), *__all__, "TimeoutError", "aio", "azure"})
