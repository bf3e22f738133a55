from builtins import list as _list
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Literal
from typing_extensions import Self

from ._records import Identity, Plan, Properties
from ._vaultlet import Secret, Token, _Path

__all__ = ["AsyncVaultlet", "get", "get_many", "list", "plan", "token", "versions", "whoami"]

class AsyncVaultlet:
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
        ca_file: _Path | Iterable[_Path] | None = None,
        resolve: str | Iterable[str] | None = None,
        allow_http_loopback: bool | None = None,
        variables: Mapping[str, str] | None = None,
        on_prompt: Callable[[str], object] | None = None,
    ) -> None: ...
    async def get(
        self,
        reference: str,
        *,
        timeout: float | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> Secret: ...
    async def get_many(
        self,
        references: Iterable[str],
        *,
        timeout: float | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> _list[Secret]: ...
    async def list(
        self,
        vault: str,
        *,
        timeout: float | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> _list[Properties]: ...
    async def versions(
        self,
        reference: str,
        *,
        timeout: float | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> _list[Properties]: ...
    async def token(
        self,
        resource: str | None = None,
        *,
        scope: str | None = None,
        tenant: str | None = None,
        claims: str | None = None,
        timeout: float | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> Token: ...
    async def whoami(
        self,
        resource: str | None = None,
        *,
        scope: str | None = None,
        tenant: str | None = None,
        claims: str | None = None,
        timeout: float | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> Identity: ...
    async def plan(
        self,
        reference: str | None = None,
        *,
        timeout: float | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> Plan: ...
    async def close(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exception: object) -> None: ...

async def get(
    reference: str,
    *,
    timeout: float | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> Secret: ...
async def get_many(
    references: Iterable[str],
    *,
    timeout: float | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> _list[Secret]: ...
async def list(
    vault: str,
    *,
    timeout: float | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> _list[Properties]: ...
async def versions(
    reference: str,
    *,
    timeout: float | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> _list[Properties]: ...
async def token(
    resource: str | None = None,
    *,
    scope: str | None = None,
    tenant: str | None = None,
    claims: str | None = None,
    timeout: float | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> Token: ...
async def whoami(
    resource: str | None = None,
    *,
    scope: str | None = None,
    tenant: str | None = None,
    claims: str | None = None,
    timeout: float | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> Identity: ...
async def plan(
    reference: str | None = None,
    *,
    timeout: float | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    resource_id: str | None = None,
) -> Plan: ...
