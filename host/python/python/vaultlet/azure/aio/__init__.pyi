from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from os import PathLike
from typing import Any, Literal, NoReturn
from typing_extensions import Self

from .. import AccessToken as AccessToken, AccessTokenInfo as AccessTokenInfo
from .. import KeyVaultSecret, SecretProperties

__all__ = [
    "AccessToken",
    "AccessTokenInfo",
    "AzureMLOnBehalfOfCredential",
    "DefaultAzureCredential",
    "ManagedIdentityCredential",
    "SecretClient",
    "VaultletCredential",
]

class _Pages(AsyncIterator[AsyncIterator[SecretProperties]]):
    continuation_token: str | None
    async def __anext__(self) -> AsyncIterator[SecretProperties]: ...

class _AsyncItemPaged(AsyncIterator[SecretProperties]):
    async def __anext__(self) -> SecretProperties: ...
    def by_page(self, continuation_token: str | None = None) -> _Pages: ...

class SecretClient:
    def __init__(self, vault_url: str, credential: object = None, **kwargs: Any) -> None: ...
    @property
    def vault_url(self) -> str: ...
    async def get_secret(
        self, name: str, version: str | None = None, **kwargs: Any
    ) -> KeyVaultSecret: ...
    def list_properties_of_secrets(self, **kwargs: Any) -> _AsyncItemPaged: ...
    def list_properties_of_secret_versions(self, name: str, **kwargs: Any) -> _AsyncItemPaged: ...
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
    async def close(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exception: object) -> None: ...

class _Credential:
    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken: ...
    async def get_token_info(
        self, *scopes: str, options: Mapping[str, Any] | None = None
    ) -> AccessTokenInfo: ...
    async def close(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exception: object) -> None: ...

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
