"""The classes of `azure.core.exceptions` that reading secrets can raise.

Where `azure-core` is installed they are Azure's own classes, elsewhere classes of the same names.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "AzureError",
    "ClientAuthenticationError",
    "HttpResponseError",
    "ResourceExistsError",
    "ResourceNotFoundError",
    "ServiceRequestError",
    "ServiceResponseError",
]


class AzureError(Exception):
    """Every error of Azure's packages."""

    message: str
    inner_exception: BaseException | None

    def __init__(self, message: object, *args: Any, **kwargs: Any) -> None:
        self.message = str(message)
        self.inner_exception = kwargs.get("error")
        super().__init__(self.message, *args)


class ServiceRequestError(AzureError):
    """No request could be sent."""


class ServiceResponseError(AzureError):
    """A request was sent, and there was no valid response."""


class HttpResponseError(AzureError):
    """The response is an error."""

    reason: str | None
    status_code: int | None
    response: Any
    model: Any
    error: _Body | None

    def __init__(self, message: object = None, response: Any = None, **kwargs: Any) -> None:
        self.response = response
        self.status_code = response.status_code if response else None
        self.reason = response.reason if response else None
        self.model = None
        self.error = _Body(response._error) if response else None
        super().__init__(message, **kwargs)


class ClientAuthenticationError(HttpResponseError):
    """The identity was refused, or none is configured."""


class ResourceNotFoundError(HttpResponseError):
    """There is no such secret."""


class ResourceExistsError(HttpResponseError):
    """The state of the secret forbids the operation."""


class _Body:
    """The error in a response's body."""

    code: str | None
    message: str | None
    target: str | None
    details: list[Any]
    innererror: dict[str, Any]

    def __init__(self, error: dict[str, Any]) -> None:
        self.code = error["code"]
        self.message = error["message"]
        self.innererror = error.get("innererror", {})
        self.target = None
        self.details = []


try:
    import azure.core.exceptions as _azures
except ImportError:
    pass
else:
    globals().update({name: getattr(_azures, name) for name in __all__})
