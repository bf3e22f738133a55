"""Why a call failed: one class for each kind, which says what a caller should do next."""

import builtins

from ._records import Attempt


class VaultletError(Exception):
    """A failed call. No attribute ever holds a token, a secret or a secret's value.

    `str()` is the line that the command line prints, of message, code, help and id.
    """

    kind = "internal"
    id = "internal"
    message = ""
    help = ""
    status = None
    code = None
    request_id = None
    retry_after = None
    attempts = ()

    def __reduce__(self):
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


_CLASSES = {
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


def _of(line, members):
    """The native half's exceptions."""
    cancelled = members["id"] == "cancelled"
    kind = CancelledError if cancelled else _CLASSES.get(members["kind"], VaultletError)
    members["attempts"] = tuple(Attempt(*attempt) for attempt in members.get("attempts", ()))
    return _restored(kind, (line,), members)


def _restored(kind, args, members):
    error = kind(*args)
    error.__dict__.update(members)
    return error
