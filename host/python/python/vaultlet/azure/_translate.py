"""Vaultlet's errors in Azure's classes. Each stays what it was, so that both `except` clauses work."""

import functools
import sys
from contextlib import contextmanager

from .._errors import InvalidArgumentError, NotFoundError, VaultletError
from . import exceptions

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    429: "Too Many Requests",
}


@contextmanager
def translated():
    """Errors of this block as Azure's."""
    try:
        yield
    except VaultletError as error:
        raise as_azure(error) from None


@contextmanager
def no_versions_are_none():
    """A vault lists no versions of a secret that it has not, which vaultlet calls an error and Azure's
    client does not; says whether it was so."""
    none = []
    try:
        yield none
    except NotFoundError as error:
        if error.status is not None:
            raise
        none.append(error.id)


def as_azure(error):
    """The same error in a class that is Azure's and its own."""
    base = _base(error)
    if base is None:
        return error
    line = str(error)
    response = Response(error) if issubclass(base, exceptions.HttpResponseError) else None
    twin = _both(base, type(error))(line, **({"response": response} if response else {}))
    twin.__dict__.update(error.__dict__)
    twin.args, twin.message = (line,), line
    return twin


def _base(error):
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
        # Azure's chains go on after this one; it is worth having only where they are.
        identity = sys.modules.get("azure.identity")
        unavailable = getattr(identity, "CredentialUnavailableError", None)
        return unavailable or exceptions.ClientAuthenticationError
    if kind == "timeout" and error.id != "cancelled":
        return exceptions.ServiceResponseError
    if status is not None or isinstance(error, InvalidArgumentError):
        return exceptions.HttpResponseError
    if kind == "unavailable":
        return exceptions.ServiceRequestError
    return None


class Response:
    """What an error knows of the vault's answer, as far as programs ask an error for it."""

    def __init__(self, error):
        # A name that no secret can have is refused before it is sent; the vault says the same.
        refused_here = error.status is None and isinstance(error, InvalidArgumentError)
        self.status_code = 400 if refused_here else error.status
        self.reason = _REASONS.get(self.status_code)
        self.headers = {}
        if error.request_id:
            self.headers["x-ms-request-id"] = error.request_id
        if error.retry_after is not None:
            self.headers["Retry-After"] = str(int(error.retry_after))
        self.request = None
        code = "BadParameter" if refused_here else error.code
        self._error = {"code": code or self.reason, "message": error.message}
        if self.status_code == 403 and code and code != "Forbidden":
            self._error.update(code="Forbidden", innererror={"code": code})

    def text(self, encoding=None):
        """The body, with vaultlet's message in place of the service's."""
        import json

        return json.dumps({"error": self._error})


@functools.lru_cache(maxsize=None)
def _both(azures, ours):
    def __str__(self):
        return self.args[0]

    def __reduce__(self):
        kept = {name: value for name, value in self.__dict__.items() if not name.startswith("exc_")}
        return _again, (azures, ours, self.args, kept)

    members = {"__module__": __name__, "__str__": __str__, "__reduce__": __reduce__}
    return type(azures.__name__, (azures, ours), members)


def _again(azures, ours, args, members):
    error = _both(azures, ours)(*args)
    error.__dict__.update(members)
    return error
