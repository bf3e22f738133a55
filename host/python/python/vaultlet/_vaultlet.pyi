from builtins import list as _list
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from os import PathLike
from typing import Any, Literal, NoReturn, final
from typing_extensions import Self, TypeAlias

from ._records import Identity, Plan, Properties

__version__: str

_Path: TypeAlias = str | PathLike[str]

@final
class Cancel:
    def __new__(cls) -> Self: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

@final
class Secret:
    def reveal(self) -> str: ...
    def reveal_bytes(self) -> bytearray: ...
    @property
    def properties(self) -> Properties: ...
    @property
    def reference(self) -> str: ...
    @property
    def vault(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str | None: ...
    @property
    def content_type(self) -> str | None: ...
    @property
    def enabled(self) -> bool | None: ...
    @property
    def created_on(self) -> datetime | None: ...
    @property
    def updated_on(self) -> datetime | None: ...
    @property
    def not_before(self) -> datetime | None: ...
    @property
    def expires_on(self) -> datetime | None: ...
    @property
    def recovery_level(self) -> str | None: ...
    @property
    def recoverable_days(self) -> int | None: ...
    @property
    def managed(self) -> bool | None: ...
    @property
    def key_id(self) -> str | None: ...
    @property
    def tags(self) -> dict[str, str]: ...
    def __format__(self, spec: str, /) -> NoReturn: ...
    def __reduce_ex__(self, protocol: Any, /) -> NoReturn: ...
    def __copy__(self) -> NoReturn: ...
    def __deepcopy__(self, *memo: object) -> NoReturn: ...

@final
class Token:
    def reveal(self) -> str: ...
    @property
    def holder(self) -> Identity: ...
    @property
    def expires_on(self) -> datetime: ...
    @property
    def refresh_on(self) -> datetime: ...
    @property
    def resource(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def endpoint(self) -> str | None: ...
    @property
    def client_id(self) -> str | None: ...
    def __format__(self, spec: str, /) -> NoReturn: ...
    def __reduce_ex__(self, protocol: Any, /) -> NoReturn: ...
    def __copy__(self) -> NoReturn: ...
    def __deepcopy__(self, *memo: object) -> NoReturn: ...

@final
class Vaultlet:
    def __new__(
        cls,
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
    ) -> Self: ...
    def get(
        self,
        reference: str,
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> Secret: ...
    def get_many(
        self,
        references: Iterable[str],
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> _list[Secret]: ...
    def list(
        self,
        vault: str,
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> _list[Properties]: ...
    def versions(
        self,
        reference: str,
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> _list[Properties]: ...
    def token(
        self,
        resource: str | None = None,
        *,
        scope: str | None = None,
        tenant: str | None = None,
        claims: str | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> Token: ...
    def whoami(
        self,
        resource: str | None = None,
        *,
        scope: str | None = None,
        tenant: str | None = None,
        claims: str | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> Identity: ...
    def plan(
        self,
        reference: str | None = None,
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> Plan: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def _start(
        self,
        done: Callable[[BaseException | None, Any], object],
        name: str,
        arguments: tuple[Any, ...],
        call: dict[str, Any],
    ) -> Started: ...

@final
class Started:
    def cancel(self) -> None: ...

def _default() -> Vaultlet: ...
