"""`vaultlet.azure` for asyncio, as `azure.keyvault.secrets.aio` and `azure.identity.aio`."""

from __future__ import annotations

from ... import aio as _aio
from .. import _credentials, _models
from .._base import ClientBase
from .._credentials import AccessToken, AccessTokenInfo
from .._paging import AsyncItemPaged
from .._translate import no_versions_are_none, translated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from typing_extensions import Self

    from ..._vaultlet import Token

__all__ = [
    "AccessToken",
    "AccessTokenInfo",
    "AzureMLOnBehalfOfCredential",
    "DefaultAzureCredential",
    "ManagedIdentityCredential",
    "SecretClient",
    "VaultletCredential",
]


class SecretClient(ClientBase):
    """Reads the secrets of one vault, as `azure.keyvault.secrets.aio.SecretClient`."""

    _credential_kind = _credentials.Base

    async def get_secret(
        self, name: str, version: str | None = None, **kwargs: Any
    ) -> _models.KeyVaultSecret:
        """Get a secret: the given version, or the latest."""
        reference = self._reference(name, version)
        with translated():
            found = await self._call("get", reference, kwargs)
        return _models.key_vault_secret(found, self._vault_url)

    def list_properties_of_secrets(self, **kwargs: Any) -> AsyncItemPaged:
        """List all secrets of the vault, without values. Requests are sent when iterated."""

        async def items() -> list[_models.SecretProperties]:
            with translated():
                listed = await self._call("list", self._vault, kwargs)
            return _models.listing(listed, self._vault_url, versioned=False)

        return AsyncItemPaged(items, kwargs.get("max_page_size"))

    def list_properties_of_secret_versions(self, name: str, **kwargs: Any) -> AsyncItemPaged:
        """List all versions of a secret, without values. Requests are sent when iterated."""
        reference = self._reference(name)

        async def items() -> list[_models.SecretProperties]:
            with translated(), no_versions_are_none() as none:
                listed = await self._call("versions", reference, kwargs)
            return [] if none else _models.listing(listed, self._vault_url, versioned=True)

        return AsyncItemPaged(items, kwargs.get("max_page_size"))

    async def close(self) -> None:
        """Do nothing: connections belong to the credential's handle, which others share."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def _call(self, name: str, argument: str, kwargs: Mapping[str, Any]) -> Any:
        return await _aio._call(self._handle, name, (argument,), self._call_options(kwargs))


class AsyncCredential(_credentials.Base):
    """Gets tokens, by Azure's protocol for asyncio."""

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """Get a token for one scope."""
        return _credentials.access_token(await self._token(scopes, claims, tenant_id))

    async def get_token_info(
        self, *scopes: str, options: Mapping[str, Any] | None = None
    ) -> AccessTokenInfo:
        """Get a token for one scope, and when to refresh it."""
        options = options or {}
        token = await self._token(scopes, options.get("claims"), options.get("tenant_id"))
        return _credentials.access_token_info(token)

    async def close(self) -> None:
        """Do nothing: the handle is shared."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def _token(
        self, scopes: tuple[str, ...], claims: str | None, tenant: str | None
    ) -> Token:
        request = (None, _credentials.single_scope(scopes), tenant, claims)
        with translated():
            token: Token = await _aio._call(self._handle, "token", request, {})
        return token


class VaultletCredential(AsyncCredential):
    """The identity that `vaultlet.get` finds, or the one that these options of `Vaultlet` name."""


class DefaultAzureCredential(AsyncCredential):
    """Azure's default chain, which never is the user of an Azure ML job."""

    def __init__(
        self,
        *,
        managed_identity_client_id: str | None = None,
        additionally_allowed_tenants: Iterable[str] = (),
        **kwargs: Any,
    ) -> None:
        kwargs["additionally_allowed_tenants"] = additionally_allowed_tenants
        super().__init__(**_credentials.default_options(managed_identity_client_id, kwargs))


class ManagedIdentityCredential(AsyncCredential):
    """The managed identity: the system-assigned one, or the one that is named."""

    def __init__(
        self,
        *,
        client_id: str | None = None,
        identity_config: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**_credentials.managed_options(client_id, identity_config, kwargs))


class AzureMLOnBehalfOfCredential(AsyncCredential):
    """The user on whose behalf an Azure ML job runs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(identity="azureml-obo", **_credentials.common_options(kwargs))
