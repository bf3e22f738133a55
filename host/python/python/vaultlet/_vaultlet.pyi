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
    """Ends calls from another thread: every call that was made with `cancel=` this, now and later."""
    def __new__(cls) -> Self: ...
    def cancel(self) -> None:
        """End the calls; each raises `CancelledError`."""
    @property
    def cancelled(self) -> bool:
        """Whether `cancel()` was called."""

@final
class Secret:
    """One version of one secret with its value. `str()`, `repr()` and everything that prints objects
    show its reference; the value comes from `reveal()`. Scrubbed from memory when it is collected;
    what `reveal()` returned is not."""
    def reveal(self) -> str:
        """The value."""
    def reveal_bytes(self) -> bytearray:
        """The value's bytes, UTF-8, in a `bytearray`, which can be overwritten after use."""
    @property
    def properties(self) -> Properties:
        """All but the value, as a record."""
    @property
    def reference(self) -> str:
        """`akv://VAULT/NAME/VERSION`."""
    @property
    def vault(self) -> str:
        """The vault's host, with its port if it is not 443."""
    @property
    def name(self) -> str:
        """The secret's name."""
    @property
    def version(self) -> str | None:
        """The version, 32 hexadecimal digits."""
    @property
    def content_type(self) -> str | None:
        """The content type that its author gave it."""
    @property
    def enabled(self) -> bool | None:
        """Whether it may be read."""
    @property
    def created_on(self) -> datetime | None:
        """When this version was made."""
    @property
    def updated_on(self) -> datetime | None:
        """When it was last changed."""
    @property
    def not_before(self) -> datetime | None:
        """Not meant to be used before; not enforced."""
    @property
    def expires_on(self) -> datetime | None:
        """Not meant to be used after; not enforced."""
    @property
    def recovery_level(self) -> str | None:
        """What deleting it would mean."""
    @property
    def recoverable_days(self) -> int | None:
        """Days for which a deleted one can be recovered."""
    @property
    def managed(self) -> bool | None:
        """True when it belongs to a certificate."""
    @property
    def key_id(self) -> str | None:
        """The key of that certificate."""
    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
    def __format__(self, spec: str, /) -> NoReturn: ...
    def __reduce_ex__(self, protocol: Any, /) -> NoReturn: ...
    def __copy__(self) -> NoReturn: ...
    def __deepcopy__(self, *memo: object) -> NoReturn: ...

@final
class Token:
    """An access token. `str()`, `repr()` and everything that prints objects show what it is for; the
    token comes from `reveal()`. Scrubbed from memory when it is collected."""
    def reveal(self) -> str:
        """The token itself, what goes after `Bearer`."""
    @property
    def holder(self) -> Identity:
        """Whose it is, by what it says of itself, as a record."""
    @property
    def expires_on(self) -> datetime:
        """Not accepted after."""
    @property
    def refresh_on(self) -> datetime:
        """A new one is fetched from then on."""
    @property
    def resource(self) -> str:
        """The resource that it is for."""
    @property
    def source(self) -> str:
        """The source that gave it: `managed-identity`."""
    @property
    def endpoint(self) -> str | None:
        """Which form of the source: `azure-ml`."""
    @property
    def client_id(self) -> str | None:
        """The client id that was asked for, when one was."""
    def __format__(self, spec: str, /) -> NoReturn: ...
    def __reduce_ex__(self, protocol: Any, /) -> NoReturn: ...
    def __copy__(self) -> NoReturn: ...
    def __deepcopy__(self, *memo: object) -> NoReturn: ...

@final
class Vaultlet:
    """Gets secrets and tokens, on any thread; opened once and kept, it keeps connections and tokens.

    In a child of `os.fork` it opens itself anew on first use. Options are keywords; what is not
    given comes from the environment, as for the command line."""
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
    ) -> Secret:
        """Get a secret: two requests for the first of a vault, one for each further one."""
    def get_many(
        self,
        references: Iterable[str],
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> _list[Secret]:
        """Get several secrets at once, in their order: all, or the first error."""
    def list(
        self,
        vault: str,
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> _list[Properties]:
        """List a vault's secrets, all of them, without values: one request for each 25. Items have no
        version; all else is that of the latest."""
    def versions(
        self,
        reference: str,
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> _list[Properties]:
        """List the versions of a secret, newest first, without values."""
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
    ) -> Token:
        """Get an access token. One request, unless the cache has it."""
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
    ) -> Identity:
        """Say whose token is had here, without the token: the identity to grant a role to."""
    def plan(
        self,
        reference: str | None = None,
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> Plan:
        """Say what the credentials would read and whom they would talk to. No network."""
    def close(self) -> None:
        """Close it. Calls that run on other threads go on."""
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
    """A call that was started and is not waited for."""
    def cancel(self) -> None:
        """End the call."""

def _default() -> Vaultlet: ...
