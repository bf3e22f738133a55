"""Reading one vault, by the methods of Azure's client."""

from . import _credentials, _models
from ._base import ClientBase
from ._paging import ItemPaged
from ._translate import no_versions_are_none, translated


class SecretClient(ClientBase):
    """Reads the secrets of one vault, as `azure.keyvault.secrets.SecretClient`.

    Without a credential the identity is found as by `vaultlet.get`. Of the keywords of Azure's
    client `timeout` counts, seconds for each call; the rest is vaultlet's own business.
    """

    _credential_kind = _credentials.Base

    def get_secret(self, name, version=None, **kwargs):
        """Get a secret, its latest version unless one is named."""
        reference = self._reference(name, version)
        with translated():
            return _models.secret(
                self._handle.get(reference, **self._call(kwargs)), self._vault_url
            )

    def list_properties_of_secrets(self, **kwargs):
        """List all secrets of the vault, without values. Asks when iterated."""

        def items():
            with translated():
                listed = self._handle.list(self._vault, **self._call(kwargs))
            return _models.listing(listed, self._vault_url, versioned=False)

        return ItemPaged(items, kwargs.get("max_page_size"))

    def list_properties_of_secret_versions(self, name, **kwargs):
        """List all versions of a secret, without values. Asks when iterated."""
        reference = self._reference(name)

        def items():
            with translated(), no_versions_are_none() as none:
                listed = self._handle.versions(reference, **self._call(kwargs))
            return [] if none else _models.listing(listed, self._vault_url, versioned=True)

        return ItemPaged(items, kwargs.get("max_page_size"))

    def close(self):
        """Nothing to close: connections belong to the credential's handle, which others share."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
