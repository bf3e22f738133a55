"""Credentials for Azure's packages: vaultlet's tokens, by Azure's protocol.

A credential is a set of options for a handle. Credentials with the same options share one handle and
its cache.
"""

from __future__ import annotations

from collections import namedtuple

from .._vaultlet import Vaultlet
from ._translate import translated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Any, NamedTuple

    from typing_extensions import Self, Unpack

    from .._options import HandleOptions
    from .._vaultlet import Token

    class _AccessToken(NamedTuple):
        token: str
        expires_on: int
else:
    _AccessToken = namedtuple("AccessToken", "token expires_on")

_HANDLES: dict[frozenset[tuple[str, Any]], Vaultlet] = {}

# Options that distinguish handles and hold no secret: handles with other options are not shared.
_SHARED = frozenset(
    "identity exclude client_id object_id resource_id additional_tenants cloud timeout".split()
)


class AccessToken(_AccessToken):
    """A token and when it expires, in Unix seconds, as `azure.core.credentials.AccessToken`.

    `repr()` does not show the token.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"AccessToken(expires_on={self.expires_on})"


class AccessTokenInfo:
    """A token and what is known of it, as `azure.core.credentials.AccessTokenInfo`.

    `repr()` does not show the token.
    """

    __slots__ = ("expires_on", "refresh_on", "token", "token_type")

    token: str
    expires_on: int
    token_type: str
    refresh_on: int | None

    def __init__(
        self,
        token: str,
        expires_on: int,
        *,
        token_type: str = "Bearer",
        refresh_on: int | None = None,
    ) -> None:
        self.token = token
        self.expires_on = expires_on
        self.token_type = token_type
        self.refresh_on = refresh_on

    def __repr__(self) -> str:
        return f"AccessTokenInfo(expires_on={self.expires_on}, refresh_on={self.refresh_on})"


class Base:
    """Options of a handle that is opened on first use."""

    def __init__(self, **options: Unpack[HandleOptions]) -> None:
        given = {name: _hashable(value) for name, value in options.items() if value is not None}
        self._options: dict[str, Any] | None = given
        self._opened: Vaultlet | None = None

    @property
    def _handle(self) -> Vaultlet:
        options = self._options
        if self._opened is None:
            with translated():
                opened = _open(options or {})
            self._opened = self._opened or opened
            # A user's token may be among the options.
            self._options = None
        return self._opened

    @classmethod
    def _for_client(cls, credential: object) -> Base:
        """Checks what a client was given. `None` means the identity that `vaultlet.get` finds."""
        if credential is None:
            return Base()
        if isinstance(credential, Base):
            return credential
        return _counterpart(credential)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _open(options: dict[str, Any]) -> Vaultlet:
    if not _SHARED.issuperset(options):
        return Vaultlet(**options)
    key = frozenset(options.items())
    # There is no lock, as a child of `fork` might find it locked. If two threads open a handle at
    # once, the first stays.
    return _HANDLES.get(key) or _HANDLES.setdefault(key, Vaultlet(**options))


class Credential(Base):
    """Gets tokens, by Azure's protocol for blocking code."""

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """Get a token for one scope."""
        return access_token(self._token(scopes, claims, tenant_id, kwargs.get("timeout")))

    def get_token_info(
        self, *scopes: str, options: Mapping[str, Any] | None = None
    ) -> AccessTokenInfo:
        """Get a token for one scope, and when to refresh it."""
        options = options or {}
        token = self._token(scopes, options.get("claims"), options.get("tenant_id"), None)
        return access_token_info(token)

    def close(self) -> None:
        """Do nothing: the handle is shared."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _token(
        self,
        scopes: tuple[str, ...],
        claims: str | None,
        tenant: str | None,
        timeout: float | None,
    ) -> Token:
        with translated():
            return self._handle.token(
                single_scope(scopes), claims=claims, tenant=tenant, timeout=timeout or None
            )


class VaultletCredential(Credential):
    """The identity that `vaultlet.get` finds, or the one that these options of `Vaultlet` name."""


class DefaultAzureCredential(Credential):
    """Azure's default chain: environment, workload identity, managed identity, developer logins.

    As Azure's class, it is never the user of an Azure ML job: that is `AzureMLOnBehalfOfCredential`.
    """

    def __init__(
        self,
        *,
        managed_identity_client_id: str | None = None,
        additionally_allowed_tenants: Iterable[str] = (),
        **kwargs: Any,
    ) -> None:
        kwargs["additionally_allowed_tenants"] = additionally_allowed_tenants
        super().__init__(**default_options(managed_identity_client_id, kwargs))


class ManagedIdentityCredential(Credential):
    """The managed identity: the system-assigned one, or the one that is named."""

    def __init__(
        self,
        *,
        client_id: str | None = None,
        identity_config: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**managed_options(client_id, identity_config, kwargs))


class AzureMLOnBehalfOfCredential(Credential):
    """The user on whose behalf an Azure ML job runs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(identity="azureml-obo", **common_options(kwargs))


_EXCLUDES = {
    "exclude_environment_credential": "environment",
    "exclude_workload_identity_credential": "workload-identity",
    "exclude_managed_identity_credential": "managed-identity",
    "exclude_cli_credential": "azure-cli",
    "exclude_developer_cli_credential": "azure-developer-cli",
    "exclude_powershell_credential": "azure-powershell",
}


def default_options(client_id: str | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Converts the options of Azure's `DefaultAzureCredential` to options of `Vaultlet`."""
    excluded = [label for name, label in _EXCLUDES.items() if kwargs.get(name)]
    return {
        "exclude": ",".join(["azureml-obo", *excluded]),
        "client_id": client_id,
        **common_options(kwargs),
    }


def managed_options(
    client_id: str | None, identity_config: Mapping[str, str] | None, kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Converts the options of Azure's `ManagedIdentityCredential` to options of `Vaultlet`."""
    named = dict(identity_config or {})
    if client_id is not None:
        named["client_id"] = client_id
    unknown = set(named) - {"client_id", "object_id", "resource_id"}
    if unknown or len(named) > 1:
        raise ValueError(
            "a managed identity is named by one of client_id, object_id and resource_id, "
            f"not by {', '.join(sorted(named))}"
        )
    return {"identity": "managed-identity", **named, **common_options(kwargs)}


def common_options(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Converts the options that all of Azure's credentials have.

    Options of Azure's HTTP pipeline are ignored. Options that would mean another identity are
    refused.
    """
    if kwargs.get("authority") is not None:
        raise TypeError("`authority` is no option here: set AZURE_AUTHORITY_HOST")
    tenants = kwargs.get("additionally_allowed_tenants")
    return {"additional_tenants": _hashable(tenants) if tenants else None}


def single_scope(scopes: tuple[str, ...]) -> str:
    """Checks that exactly one scope is given, as a token is for one."""
    if len(scopes) != 1:
        raise ValueError(f"a token is for one scope, and {len(scopes)} are given")
    return scopes[0]


def access_token_info(token: Token) -> AccessTokenInfo:
    """Converts a token for `get_token_info`."""
    return AccessTokenInfo(
        token.reveal(), _unix(token.expires_on), refresh_on=_unix(token.refresh_on)
    )


def access_token(token: Token) -> AccessToken:
    """Converts a token for `get_token`, the older method."""
    return AccessToken(token.reveal(), _unix(token.expires_on))


def _unix(time: datetime) -> int:
    return int(time.timestamp())


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, set, frozenset)) else value


# Azure's credential classes that name an identity without any options.
_COUNTERPARTS: dict[str, type[Base]] = {
    "DefaultAzureCredential": DefaultAzureCredential,
    "AzureMLOnBehalfOfCredential": AzureMLOnBehalfOfCredential,
}


def _counterpart(credential: object) -> Base:
    """Vaultlet's credential in place of one of Azure's."""
    kind = type(credential)
    if kind.__module__.startswith("azure.") and kind.__name__ in _COUNTERPARTS:
        import warnings

        warnings.warn(
            f"{kind.__name__} of Azure's SDK stands for vaultlet's of the same name, and its options "
            "are not seen: import it from vaultlet.azure",
            stacklevel=4,
        )
        return _COUNTERPARTS[kind.__name__]()
    raise TypeError(
        f"credential: a {kind.__module__}.{kind.__qualname__} is none of vaultlet's; give "
        "DefaultAzureCredential, ManagedIdentityCredential, AzureMLOnBehalfOfCredential or "
        "VaultletCredential of vaultlet.azure, or none"
    )
