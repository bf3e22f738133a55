"""The classes of `azure.core.exceptions` that reading secrets can raise: Azure's own where
`azure-core` is installed, else classes of the same names."""

__all__ = [
    "AzureError",
    "ClientAuthenticationError",
    "HttpResponseError",
    "ResourceExistsError",
    "ResourceNotFoundError",
    "ServiceRequestError",
    "ServiceResponseError",
]

try:
    from azure.core.exceptions import (
        AzureError,
        ClientAuthenticationError,
        HttpResponseError,
        ResourceExistsError,
        ResourceNotFoundError,
        ServiceRequestError,
        ServiceResponseError,
    )
except ImportError:

    class AzureError(Exception):
        """Every error of Azure's packages."""

        def __init__(self, message, *args, **kwargs):
            self.message = str(message)
            self.inner_exception = kwargs.get("error")
            super().__init__(self.message, *args)

    class ServiceRequestError(AzureError):
        """No request was sent."""

    class ServiceResponseError(AzureError):
        """A request was sent, and no answer came that is understood."""

    class HttpResponseError(AzureError):
        """An answer came, and it is an error."""

        def __init__(self, message=None, response=None, **kwargs):
            self.response = response
            self.status_code = response.status_code if response else None
            self.reason = response.reason if response else None
            self.model = None
            self.error = _Body(response._error) if response else None
            super().__init__(message, **kwargs)

    class ClientAuthenticationError(HttpResponseError):
        """An identity is refused, or there is none."""

    class ResourceNotFoundError(HttpResponseError):
        """There is no such secret."""

    class ResourceExistsError(HttpResponseError):
        """The state of the secret forbids it."""

    class _Body:
        """The error in an answer's body."""

        def __init__(self, error):
            self.code = error["code"]
            self.message = error["message"]
            self.innererror = error.get("innererror", {})
            self.target = None
            self.details = []
