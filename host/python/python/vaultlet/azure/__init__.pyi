from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from os import PathLike
from typing import Any, Literal, NamedTuple, NoReturn
from typing_extensions import Self

from . import aio as aio, exceptions as exceptions

__all__ = [
    "AccessToken",
    "AccessTokenInfo",
    "AzureMLOnBehalfOfCredential",
    "DefaultAzureCredential",
    "KeyVaultSecret",
    "KeyVaultSecretIdentifier",
    "ManagedIdentityCredential",
    "SecretClient",
    "SecretProperties",
    "VaultletCredential",
]

class AccessToken(NamedTuple):
    token: str
    expires_on: int

class AccessTokenInfo:
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
    ) -> None: ...

class KeyVaultSecretIdentifier:
    source_id: str
    vault_url: str
    name: str
    version: str | None
    def __init__(self, source_id: str) -> None: ...

class SecretProperties:
    @property
    def id(self) -> str: ...
    @property
    def vault_url(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str | None: ...
    @property
    def content_type(self) -> str | None: ...
    @property
    def key_id(self) -> str | None: ...
    @property
    def enabled(self) -> bool | None: ...
    @property
    def not_before(self) -> datetime | None: ...
    @property
    def expires_on(self) -> datetime | None: ...
    @property
    def created_on(self) -> datetime | None: ...
    @property
    def updated_on(self) -> datetime | None: ...
    @property
    def recoverable_days(self) -> int | None: ...
    @property
    def recovery_level(self) -> str | None: ...
    @property
    def managed(self) -> bool | None: ...
    @property
    def tags(self) -> dict[str, str] | None: ...
    @property
    def previous_version(self) -> str | None: ...

class KeyVaultSecret:
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def properties(self) -> SecretProperties: ...
    @property
    def value(self) -> str: ...

class _Pages(Iterator[Iterator[SecretProperties]]):
    continuation_token: str | None
    def __next__(self) -> Iterator[SecretProperties]: ...

class ItemPaged(Iterator[SecretProperties]):
    def __next__(self) -> SecretProperties: ...
    def by_page(self, continuation_token: str | None = None) -> _Pages: ...

class SecretClient:
    def __init__(self, vault_url: str, credential: object = None, **kwargs: Any) -> None: ...
    @property
    def vault_url(self) -> str: ...
    def get_secret(
        self, name: str, version: str | None = None, **kwargs: Any
    ) -> KeyVaultSecret: ...
    def list_properties_of_secrets(self, **kwargs: Any) -> ItemPaged: ...
    def list_properties_of_secret_versions(self, name: str, **kwargs: Any) -> ItemPaged: ...
    def set_secret(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def update_secret_properties(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def backup_secret(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def restore_secret_backup(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def begin_delete_secret(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def delete_secret(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def get_deleted_secret(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def list_deleted_secrets(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def purge_deleted_secret(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def begin_recover_deleted_secret(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def recover_deleted_secret(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def send_request(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

class _Credential:
    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken: ...
    def get_token_info(
        self, *scopes: str, options: Mapping[str, Any] | None = None
    ) -> AccessTokenInfo: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

class VaultletCredential(_Credential):
    def __init__(
        self,
        *,
        identity: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
        additional_tenants: str | Iterable[str] | None = None,
        user_assertion: str | None = None,
        user_assertion_file: str | PathLike[str] | None = None,
        cloud: Literal["public", "china", "usgov"] | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
        ca_file: str | PathLike[str] | Iterable[str | PathLike[str]] | None = None,
        resolve: str | Iterable[str] | None = None,
        allow_http_loopback: bool | None = None,
        variables: Mapping[str, str] | None = None,
        on_prompt: Callable[[str], object] | None = None,
    ) -> None: ...

class DefaultAzureCredential(_Credential):
    def __init__(
        self,
        *,
        managed_identity_client_id: str | None = None,
        additionally_allowed_tenants: Iterable[str] = (),
        **kwargs: Any,
    ) -> None: ...

class ManagedIdentityCredential(_Credential):
    def __init__(
        self,
        *,
        client_id: str | None = None,
        identity_config: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None: ...

class AzureMLOnBehalfOfCredential(_Credential):
    def __init__(self, **kwargs: Any) -> None: ...
