"""`vaultlet.azure` for asyncio, as `azure.keyvault.secrets.aio` and `azure.identity.aio`."""

from ... import aio as _aio
from .. import _credentials, _models
from .._base import ClientBase
from .._credentials import AccessToken, AccessTokenInfo
from .._paging import AsyncItemPaged
from .._translate import no_versions_are_none, translated

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

    async def get_secret(self, name, version=None, **kwargs):
        """Get a secret, its latest version unless one is named."""
        reference = self._reference(name, version)
        with translated():
            found = await _aio._ask(self._handle, "get", (reference,), self._call(kwargs))
        return _models.secret(found, self._vault_url)

    def list_properties_of_secrets(self, **kwargs):
        """List all secrets of the vault, without values. Asks when iterated."""

        async def items():
            with translated():
                asked = _aio._ask(self._handle, "list", (self._vault,), self._call(kwargs))
                listed = await asked
            return _models.listing(listed, self._vault_url, versioned=False)

        return AsyncItemPaged(items, kwargs.get("max_page_size"))

    def list_properties_of_secret_versions(self, name, **kwargs):
        """List all versions of a secret, without values. Asks when iterated."""
        reference = self._reference(name)

        async def items():
            with translated(), no_versions_are_none() as none:
                asked = _aio._ask(self._handle, "versions", (reference,), self._call(kwargs))
                listed = await asked
            return [] if none else _models.listing(listed, self._vault_url, versioned=True)

        return AsyncItemPaged(items, kwargs.get("max_page_size"))

    async def close(self):
        """Nothing to close: connections belong to the credential's handle, which others share."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await self.close()


class AsyncCredential(_credentials.Base):
    """Gets tokens, by Azure's protocol for asyncio."""

    async def get_token(self, *scopes, claims=None, tenant_id=None, enable_cae=False, **kwargs):
        """Get a token for one scope."""
        return _credentials.access_token(await self._token(scopes, claims, tenant_id))

    async def get_token_info(self, *scopes, options=None):
        """Get a token for one scope, with when to refresh it."""
        options = options or {}
        asked = self._token(scopes, options.get("claims"), options.get("tenant_id"))
        return _credentials.info(await asked)

    async def close(self):
        """Nothing to close: the handle is shared."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await self.close()

    async def _token(self, scopes, claims, tenant):
        asked = (None, _credentials.scope_of(scopes), tenant, claims)
        with translated():
            return await _aio._ask(self._handle, "token", asked, {})


class VaultletCredential(AsyncCredential):
    """The identity that `vaultlet.get` finds, or that these options of `Vaultlet` name."""


class DefaultAzureCredential(AsyncCredential):
    """Azure's chain, in vaultlet; never the user of an Azure ML job."""

    def __init__(self, **kwargs):
        super().__init__(**_credentials.default_options(kwargs))


class ManagedIdentityCredential(AsyncCredential):
    """The managed identity, system-assigned or the one that is named."""

    def __init__(self, *, client_id=None, identity_config=None, **kwargs):
        super().__init__(**_credentials.managed_options(client_id, identity_config, kwargs))


class AzureMLOnBehalfOfCredential(AsyncCredential):
    """The user on whose behalf an Azure ML job runs."""

    def __init__(self, **kwargs):
        super().__init__(identity="azureml-obo", **_credentials.common_options(kwargs))
