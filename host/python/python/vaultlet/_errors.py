"""Why a call failed: one class for each kind, which says what a caller should do next."""

# Without `from __future__ import annotations`, which would take long: the package imports this module at once,
# as a process without a free descriptor could not import it when it has an error to raise.
import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._records import Attempt, FailedVariable

# `TimeoutError` is left out, as in the package.
__all__ = [
    "CancelledError",
    "ConfigurationError",
    "ConflictError",
    "DeniedError",
    "DisabledError",
    "InternalError",
    "InvalidArgumentError",
    "NotConfiguredError",
    "NotFoundError",
    "ThrottledError",
    "UnauthenticatedError",
    "UnavailableError",
    "UsageError",
    "VaultletError",
]


class VaultletError(Exception):
    """A failed call. No attribute ever holds a token, a secret or a secret's value.

    `str()` is the line that the command line prints. It consists of `message` (what was being done
    and what happened), `code` (the service's own error code), `help` (what to do) and `id` (a stable
    name, which the table of errors explains). `kind` says what a program should do next, as the
    class does. `status` is the HTTP status, `request_id` the service's id of the request, and
    `retry_after` is in seconds; each is `None` when unknown. `attempts` has one entry for each source
    of credentials that was asked, when no token could be obtained. `variables` has one entry for each
    variable that `resolve_environment` could not resolve; the other attributes are about the first.
    """

    kind: str = "internal"
    id: str = "internal"
    message: str = ""
    help: str = ""
    status: "int | None" = None
    code: "str | None" = None
    request_id: "str | None" = None
    retry_after: "float | None" = None
    attempts: "tuple[Attempt, ...]" = ()
    variables: "tuple[FailedVariable, ...]" = ()

    def __reduce__(self) -> "tuple[Any, ...]":
        return _restored, (type(self), self.args, self.__dict__)


class UsageError(VaultletError):
    """Arguments contradict each other: correct the program."""


class InvalidArgumentError(VaultletError, ValueError):
    """Malformed reference, name or pointer: correct the reference."""


class NotFoundError(VaultletError):
    """No such secret or version."""


class DisabledError(VaultletError):
    """The secret is disabled."""


class UnavailableError(VaultletError, ConnectionError):
    """A server cannot be reached, or its response makes no sense: try again in minutes."""


class TimeoutError(VaultletError, builtins.TimeoutError):
    """The time that was allowed has run out."""


class CancelledError(VaultletError):
    """The call was cancelled, by `Cancel.cancel()`."""


class InternalError(VaultletError):
    """A defect of vaultlet: report it with the message."""


class ConflictError(VaultletError):
    """The secret's state forbids it now."""


class ThrottledError(VaultletError):
    """The service is throttling requests for longer than the call may take."""


class DeniedError(VaultletError):
    """The identity may not do this, or the egress policy forbids it."""


class ConfigurationError(VaultletError):
    """Settings contradict each other, or a security check refused."""


class NotConfiguredError(VaultletError):
    """No source of credentials is configured."""


class UnauthenticatedError(VaultletError):
    """An identity was found, and was refused."""


_CLASSES: "dict[str, type[VaultletError]]" = {
    "usage": UsageError,
    "invalid-argument": InvalidArgumentError,
    "not-found": NotFoundError,
    "disabled": DisabledError,
    "unavailable": UnavailableError,
    "timeout": TimeoutError,
    "internal": InternalError,
    "conflict": ConflictError,
    "throttled": ThrottledError,
    "denied": DeniedError,
    "configuration": ConfigurationError,
    "not-configured": NotConfiguredError,
    "unauthenticated": UnauthenticatedError,
}


for _class in (VaultletError, CancelledError, *_CLASSES.values()):
    _class.__module__ = "vaultlet"


def _exception(line: str, members: "dict[str, Any]") -> VaultletError:
    """Makes an exception for the native half."""
    cancelled = members["id"] == "cancelled"
    kind = CancelledError if cancelled else _CLASSES.get(members["kind"], VaultletError)
    if members.get("attempts") or members.get("variables"):
        try:
            from ._records import Attempt, FailedVariable
        except OSError:  # There is no descriptor free for the file: plain tuples say the same.
            pass
        else:
            members["attempts"] = tuple(Attempt(*attempt) for attempt in members["attempts"])
            members["variables"] = tuple(FailedVariable(*failed) for failed in members["variables"])
    return _restored(kind, (line,), members)


def _restored(
    kind: type[VaultletError], args: "tuple[Any, ...]", members: "dict[str, Any]"
) -> VaultletError:
    error = kind(*args)
    error.__dict__.update(members)
    return error
