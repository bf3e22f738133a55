"""What the blocking and the asyncio client have in common: a vault, and a credential to read it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Callable, ClassVar, NoReturn

    from .._vaultlet import Vaultlet
    from ._credentials import Base

_CALL = ("timeout", "client_id", "object_id", "resource_id")


def _not_implemented(name: str) -> Callable[..., NoReturn]:
    def method(self: ClientBase, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"SecretClient.{name}: vaultlet reads secrets and does nothing else with them; use "
            "SecretClient of azure.keyvault.secrets for this, with a credential of vaultlet.azure"
        )

    method.__name__ = method.__qualname__ = name
    method.__doc__ = "Not implemented: vaultlet reads secrets and does nothing else with them."
    return method


class ClientBase:
    _credential_kind: ClassVar[type[Base]]

    def __init__(self, vault_url: str, credential: object = None, **kwargs: Any) -> None:
        if not vault_url:
            raise ValueError("vault_url must be the URL of an Azure Key Vault")
        self._vault_url = vault_url.strip(" /")
        scheme, _, self._host = self._vault_url.partition("://")
        if scheme not in ("https", "http") or not self._host or "/" in self._host:
            raise ValueError(f"vault_url must be the URL of an Azure Key Vault, not {vault_url!r}")
        self._vault = f"akv://{self._host}" if scheme == "https" else self._vault_url
        self._defaults = {name: kwargs[name] for name in ("timeout",) if name in kwargs}
        self._credential = self._credential_kind._for_client(credential)

    @property
    def vault_url(self) -> str:
        """The vault's URL."""
        return self._vault_url

    set_secret = _not_implemented("set_secret")
    update_secret_properties = _not_implemented("update_secret_properties")
    backup_secret = _not_implemented("backup_secret")
    restore_secret_backup = _not_implemented("restore_secret_backup")
    begin_delete_secret = _not_implemented("begin_delete_secret")
    delete_secret = _not_implemented("delete_secret")
    get_deleted_secret = _not_implemented("get_deleted_secret")
    list_deleted_secrets = _not_implemented("list_deleted_secrets")
    purge_deleted_secret = _not_implemented("purge_deleted_secret")
    begin_recover_deleted_secret = _not_implemented("begin_recover_deleted_secret")
    recover_deleted_secret = _not_implemented("recover_deleted_secret")
    send_request = _not_implemented("send_request")

    @property
    def _handle(self) -> Vaultlet:
        return self._credential._handle

    def _reference(self, name: str, version: str | None = None) -> str:
        if not name:
            raise ValueError("the name of a secret is empty")
        reference = f"{self._vault_url}/secrets/{_escaped(name)}"
        return f"{reference}/{_escaped(version)}" if version else reference

    def _call_options(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        if kwargs.get("out_content_type") is not None:
            raise NotImplementedError("out_content_type: vaultlet gets secrets as they are stored")
        return {**self._defaults, **{name: kwargs[name] for name in _CALL if name in kwargs}}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self._vault_url}]>"


def _escaped(text: str) -> str:
    """One segment of a path. The vault decides whether it is a valid name."""
    parts = (c if c.isalnum() or c in "-._~" else c.encode() for c in text)
    return "".join(p if isinstance(p, str) else "".join(f"%{b:02X}" for b in p) for p in parts)
