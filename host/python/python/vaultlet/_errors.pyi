import builtins

from ._records import Attempt

class VaultletError(Exception):
    """A failed call. No attribute ever holds a token, a secret or a secret's value.

    `str()` is the line that the command line prints, of `message` (what was being done and what
    happened), `code` (the service's own), `help` (what to do) and `id` (stable, explained in the
    README). `kind` says what a program should do next, as the class does. `status` is of HTTP,
    `request_id` the service's, `retry_after` in seconds, each `None` when unknown; `attempts` has
    one entry for each source of credentials that was asked, whenever no token was had."""
    kind: str
    id: str
    message: str
    help: str
    status: int | None
    code: str | None
    request_id: str | None
    retry_after: float | None
    attempts: tuple[Attempt, ...]

class UsageError(VaultletError):
    """Arguments contradict each other: correct the program."""
class InvalidArgumentError(VaultletError, ValueError):
    """Malformed reference, name or pointer: correct the reference."""
class NotFoundError(VaultletError):
    """No such secret or version."""
class DisabledError(VaultletError):
    """The secret is disabled."""
class UnavailableError(VaultletError, ConnectionError):
    """A server cannot be reached or answers nonsense: try again in minutes."""
class TimeoutError(VaultletError, builtins.TimeoutError):
    """The time that was allowed has run out."""
class CancelledError(VaultletError):
    """The call was cancelled, by `Cancel.cancel()`."""
class InternalError(VaultletError):
    """A defect of vaultlet: report it with the message."""
class ConflictError(VaultletError):
    """The secret's state forbids it now."""
class ThrottledError(VaultletError):
    """The service asked for more patience than the caller has."""
class DeniedError(VaultletError):
    """The identity may not do this, or a policy of ours forbids it."""
class ConfigurationError(VaultletError):
    """Settings contradict each other, or a security check refused."""
class NotConfiguredError(VaultletError):
    """No source of credentials is configured."""
class UnauthenticatedError(VaultletError):
    """An identity was found and refused."""
