"""What the client for threads and the one for asyncio have in common: a vault and who asks it."""

_CALL = ("timeout", "client_id", "object_id", "resource_id")


class ClientBase:
    def __init__(self, vault_url, credential=None, **kwargs):
        if not vault_url:
            raise ValueError("vault_url must be the URL of an Azure Key Vault")
        self._vault_url = vault_url.strip(" /")
        scheme, _, self._host = self._vault_url.partition("://")
        if scheme not in ("https", "http") or not self._host or "/" in self._host:
            raise ValueError(f"vault_url must be the URL of an Azure Key Vault, not {vault_url!r}")
        self._vault = f"akv://{self._host}" if scheme == "https" else self._vault_url
        self._defaults = {name: kwargs[name] for name in ("timeout",) if name in kwargs}
        self._credential = self._credential_kind._of(credential)

    @property
    def vault_url(self):
        """The vault's URL."""
        return self._vault_url

    @property
    def _handle(self):
        return self._credential._handle

    def _reference(self, name, version=None):
        if not name:
            raise ValueError("the name of a secret is empty")
        reference = f"{self._vault_url}/secrets/{_segment(name)}"
        return f"{reference}/{_segment(version)}" if version else reference

    def _call(self, kwargs):
        if kwargs.get("out_content_type") is not None:
            raise NotImplementedError("out_content_type: vaultlet gets secrets as they are stored")
        return {**self._defaults, **{name: kwargs[name] for name in _CALL if name in kwargs}}

    def __repr__(self):
        return f"<{type(self).__name__} [{self._vault_url}]>"


def _segment(text):
    """One part of a path, whatever is in it; whether it is a name is the vault's to say."""
    parts = (c if c.isalnum() or c in "-._~" else c.encode() for c in text)
    return "".join(p if isinstance(p, str) else "".join(f"%{b:02X}" for b in p) for p in parts)


def _not_implemented(name):
    def method(self, *args, **kwargs):
        raise NotImplementedError(
            f"SecretClient.{name}: vaultlet reads secrets and does nothing else with them; use "
            "SecretClient of azure.keyvault.secrets for this, with a credential of vaultlet.azure"
        )

    method.__name__ = method.__qualname__ = name
    method.__doc__ = "Not implemented: vaultlet reads secrets and does nothing else with them."
    return method


for _name in (
    "set_secret",
    "update_secret_properties",
    "backup_secret",
    "restore_secret_backup",
    "begin_delete_secret",
    "delete_secret",
    "get_deleted_secret",
    "list_deleted_secrets",
    "purge_deleted_secret",
    "begin_recover_deleted_secret",
    "recover_deleted_secret",
    "send_request",
):
    setattr(ClientBase, _name, _not_implemented(_name))
