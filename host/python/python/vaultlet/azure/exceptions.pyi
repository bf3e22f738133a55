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

class _Body:
    code: str | None
    message: str | None
    target: str | None
    details: list[Any]
    innererror: dict[str, Any]

class AzureError(Exception):
    message: str
    inner_exception: BaseException | None
    def __init__(self, message: object, *args: Any, **kwargs: Any) -> None: ...

class ServiceRequestError(AzureError): ...
class ServiceResponseError(AzureError): ...

class HttpResponseError(AzureError):
    reason: str | None
    status_code: int | None
    response: Any
    model: Any
    error: _Body | None
    def __init__(self, message: object = None, response: Any = None, **kwargs: Any) -> None: ...

class ClientAuthenticationError(HttpResponseError): ...
class ResourceNotFoundError(HttpResponseError): ...
class ResourceExistsError(HttpResponseError): ...
