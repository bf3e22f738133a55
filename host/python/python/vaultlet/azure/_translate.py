"""Converts vaultlet's errors to Azure's classes.

A converted error is an instance of vaultlet's class, too, so that `except` clauses for either work.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager

from .._errors import InvalidArgumentError, NotFoundError, VaultletError
from . import exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    429: "Too Many Requests",
}


@contextmanager
def translated() -> Iterator[None]:
    """Converts the errors that are raised in a `with` block."""
    try:
        yield
    except VaultletError as error:
        raise as_azure(error) from None


@contextmanager
def no_versions_are_none() -> Iterator[list[str]]:
    """Suppresses the error that vaultlet raises for a secret without versions, as Azure's client
    returns an empty list. The list that it yields is not empty afterwards if there was the error."""
    none: list[str] = []
    try:
        yield none
    except NotFoundError as error:
        if error.status is not None:
            raise
        none.append(error.id)


def as_azure(error: VaultletError) -> VaultletError:
    """Converts an error to a class that derives from Azure's class and from its own."""
    base = _base(error)
    if base is None:
        return error
    line = str(error)
    is_response = issubclass(base, exceptions.HttpResponseError)
    response = {"response": Response(error)} if is_response else {}
    converted: VaultletError = _combined(base, type(error))(line, **response)
    converted.__dict__.update(error.__dict__)
    converted.args, converted.message = (line,), line
    return converted


def _base(error: VaultletError) -> type[Exception] | None:
    kind, status = error.kind, error.status
    if error.id in ("certificate-untrusted", "egress-denied"):
        return exceptions.ServiceRequestError
    if kind == "not-found":
        return exceptions.ResourceNotFoundError
    if kind == "conflict":
        return exceptions.ResourceExistsError
    if kind == "unauthenticated" or status == 401:
        return exceptions.ClientAuthenticationError
    if kind == "not-configured":
        # Azure's chains try their next credential after this error. It matters only where
        # `azure.identity` is imported already.
        identity = sys.modules.get("azure.identity")
        unavailable: type[Exception] | None = getattr(identity, "CredentialUnavailableError", None)
        return unavailable or exceptions.ClientAuthenticationError
    if kind == "timeout" and error.id != "cancelled":
        return exceptions.ServiceResponseError
    if status is not None or isinstance(error, InvalidArgumentError):
        return exceptions.HttpResponseError
    if kind == "unavailable":
        return exceptions.ServiceRequestError
    return None


class Response:
    """The part of the vault's response that an error knows, with the attributes of Azure's response."""

    def __init__(self, error: VaultletError) -> None:
        # vaultlet refuses a malformed name before it sends a request; the vault would do the same.
        refused_here = error.status is None and isinstance(error, InvalidArgumentError)
        self.status_code = 400 if refused_here else error.status
        self.reason = _REASONS.get(self.status_code) if self.status_code else None
        self.headers: dict[str, str] = {}
        if error.request_id:
            self.headers["x-ms-request-id"] = error.request_id
        if error.retry_after is not None:
            self.headers["Retry-After"] = str(int(error.retry_after))
        self.request = None
        code = "BadParameter" if refused_here else error.code
        self._error: dict[str, Any] = {"code": code or self.reason, "message": error.message}
        if self.status_code == 403 and code and code != "Forbidden":
            self._error.update(code="Forbidden", innererror={"code": code})

    def text(self, encoding: str | None = None) -> str:
        """The response's body, with vaultlet's message in place of the service's."""
        import json

        return json.dumps({"error": self._error})


# No class is made twice, so that `type()` of equal errors is equal.
_COMBINED: dict[tuple[type[Exception], type[VaultletError]], Any] = {}


def _combined(azure_class: type[Exception], own_class: type[VaultletError]) -> Any:
    classes = azure_class, own_class
    return _COMBINED.get(classes) or _COMBINED.setdefault(classes, _new_class(*classes))


def _new_class(azure_class: type[Exception], own_class: type[VaultletError]) -> type:
    def __str__(self: Any) -> Any:
        return self.args[0]

    def __reduce__(self: Any) -> tuple[Any, ...]:
        kept = {name: value for name, value in self.__dict__.items() if not name.startswith("exc_")}
        return _restored, (azure_class, own_class, self.args, kept)

    members = {"__module__": __name__, "__str__": __str__, "__reduce__": __reduce__}
    return type(azure_class.__name__, (azure_class, own_class), members)


def _restored(
    azure_class: type[Exception],
    own_class: type[VaultletError],
    args: tuple[Any, ...],
    members: dict[str, Any],
) -> Any:
    error = _combined(azure_class, own_class)(*args)
    error.__dict__.update(members)
    return error
