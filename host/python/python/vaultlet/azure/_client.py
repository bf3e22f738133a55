"""The blocking client of one vault, with the methods of Azure's client."""

from __future__ import annotations

from . import _credentials, _models
from ._base import ClientBase
from ._paging import ItemPaged
from ._translate import no_versions_are_none, translated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Self


class SecretClient(ClientBase):
    """Reads the secrets of one vault, as `azure.keyvault.secrets.SecretClient`.

    Without a credential the identity is found as by `vaultlet.get`. Of the keywords of Azure's
    client only `timeout` has an effect: seconds for each call.
    """

    _credential_kind = _credentials.Base

    def get_secret(
        self, name: str, version: str | None = None, **kwargs: Any
    ) -> _models.KeyVaultSecret:
        """Get a secret: the given version, or the latest."""
        reference = self._reference(name, version)
        with translated():
            found = self._handle.get(reference, **self._call_options(kwargs))
            return _models.key_vault_secret(found, self._vault_url)

    def list_properties_of_secrets(self, **kwargs: Any) -> ItemPaged:
        """List all secrets of the vault, without values. Requests are sent when iterated."""

        def items() -> list[_models.SecretProperties]:
            with translated():
                listed = self._handle.list(self._vault, **self._call_options(kwargs))
            return _models.listing(listed, self._vault_url, versioned=False)

        return ItemPaged(items, kwargs.get("max_page_size"))

    def list_properties_of_secret_versions(self, name: str, **kwargs: Any) -> ItemPaged:
        """List all versions of a secret, without values. Requests are sent when iterated."""
        reference = self._reference(name)

        def items() -> list[_models.SecretProperties]:
            with translated(), no_versions_are_none() as none:
                listed = self._handle.versions(reference, **self._call_options(kwargs))
            return [] if none else _models.listing(listed, self._vault_url, versioned=True)

        return ItemPaged(items, kwargs.get("max_page_size"))

    def close(self) -> None:
        """Do nothing: connections belong to the credential's handle, which others share."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
