from builtins import list as _list
from collections.abc import Iterable

from . import aio as aio, azure as azure
from ._errors import (
    CancelledError as CancelledError,
    ConfigurationError as ConfigurationError,
    ConflictError as ConflictError,
    DeniedError as DeniedError,
    DisabledError as DisabledError,
    InternalError as InternalError,
    InvalidArgumentError as InvalidArgumentError,
    NotConfiguredError as NotConfiguredError,
    NotFoundError as NotFoundError,
    ThrottledError as ThrottledError,
    TimeoutError as TimeoutError,
    UnauthenticatedError as UnauthenticatedError,
    UnavailableError as UnavailableError,
    UsageError as UsageError,
    VaultletError as VaultletError,
)
from ._records import (
    Attempt as Attempt,
    Identity as Identity,
    Plan as Plan,
    Properties as Properties,
    Server as Server,
)
from ._vaultlet import (
    Cancel as Cancel,
    Secret as Secret,
    Token as Token,
    Vaultlet as Vaultlet,
    __version__ as __version__,
)

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

def get(
    reference: str,
    *,
    timeout: float | None = None,
    cancel: Cancel | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> Secret:
    """Get a secret: two requests for the first of a vault, one for each further one."""
def get_many(
    references: Iterable[str],
    *,
    timeout: float | None = None,
    cancel: Cancel | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> _list[Secret]:
    """Get several secrets at once, in their order: all, or the first error."""
def list(
    vault: str,
    *,
    timeout: float | None = None,
    cancel: Cancel | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> _list[Properties]:
    """List a vault's secrets, all of them, without values."""
def versions(
    reference: str,
    *,
    timeout: float | None = None,
    cancel: Cancel | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> _list[Properties]:
    """List the versions of a secret, all of them, without values."""
def token(
    resource: str | None = None,
    *,
    scope: str | None = None,
    tenant: str | None = None,
    claims: str | None = None,
    timeout: float | None = None,
    cancel: Cancel | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> Token:
    """Get an access token. One request, unless the cache has it."""
def whoami(
    resource: str | None = None,
    *,
    scope: str | None = None,
    tenant: str | None = None,
    claims: str | None = None,
    timeout: float | None = None,
    cancel: Cancel | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> Identity:
    """Say whose token is had here, without the token: the identity to grant a role to."""
def plan(
    reference: str | None = None,
    *,
    timeout: float | None = None,
    cancel: Cancel | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> Plan:
    """Say what the credentials would read and whom they would talk to. No network."""
