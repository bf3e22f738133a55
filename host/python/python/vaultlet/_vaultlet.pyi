from builtins import list as _list
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NoReturn, final
from typing_extensions import Self

from ._options import Path
from ._records import Identity, Plan, Properties

__version__: str

@final
class Cancel:
    """Cancels calls from another thread: every call that is made with `cancel=`, now and later."""
    def __new__(cls) -> Self: ...
    def cancel(self) -> None:
        """Cancel the calls; each raises `CancelledError`."""
    @property
    def cancelled(self) -> bool:
        """Whether `cancel()` was called."""

@final
class Secret:
    """One version of one secret, with its value. `repr()` and what prints objects by it show the secret's
    reference; only `reveal()` shows the value. `str()`, formatting and comparing with text are refused,
    because the value is meant there. The value is scrubbed from memory when the object is collected; a
    `str` that `reveal()` returned is not."""
    def reveal(self) -> str:
        """The secret's value."""
    def reveal_bytes(self) -> bytearray:
        """The value in UTF-8, in a `bytearray`, which can be overwritten after use."""
    @property
    def properties(self) -> Properties:
        """Everything except the value, as a record."""
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
        """The content type that the secret's author set."""
    @property
    def enabled(self) -> bool | None:
        """Whether the secret may be read."""
    @property
    def created_on(self) -> datetime | None:
        """When this version was created."""
    @property
    def updated_on(self) -> datetime | None:
        """When this version was last changed."""
    @property
    def not_before(self) -> datetime | None:
        """The secret is not meant to be used before this time; not enforced."""
    @property
    def expires_on(self) -> datetime | None:
        """The secret is not meant to be used after this time; not enforced."""
    @property
    def recovery_level(self) -> str | None:
        """What deleting the secret would mean: `Recoverable+Purgeable`."""
    @property
    def recoverable_days(self) -> int | None:
        """The number of days for which a deleted secret can be recovered."""
    @property
    def managed(self) -> bool | None:
        """True when the secret belongs to a certificate."""
    @property
    def key_id(self) -> str | None:
        """The key of the certificate that the secret belongs to."""
    @property
    def tags(self) -> dict[str, str]:
        """The secret's tags."""
    def __str__(self) -> NoReturn: ...
    def __format__(self, spec: str, /) -> NoReturn: ...
    def __reduce_ex__(self, protocol: Any, /) -> NoReturn: ...
    def __copy__(self) -> NoReturn: ...
    def __deepcopy__(self, *memo: object) -> NoReturn: ...

@final
class Token:
    """An access token. `str()`, `repr()` and everything else that prints objects show what the token
    is for; only `reveal()` shows the token, which is scrubbed from memory when the object is
    collected."""
    def reveal(self) -> str:
        """The token itself, which goes after `Bearer` in an `Authorization` header."""
    @property
    def holder(self) -> Identity:
        """The identity that the token belongs to, as the token says."""
    @property
    def expires_on(self) -> datetime:
        """When the token expires."""
    @property
    def refresh_on(self) -> datetime:
        """When a new token is fetched. This one still works until it expires."""
    @property
    def resource(self) -> str:
        """The resource that the token is for."""
    @property
    def source(self) -> str:
        """The source that the token came from: `managed-identity`."""
    @property
    def endpoint(self) -> str | None:
        """The form of the source, where it has several: `azure-ml`."""
    @property
    def client_id(self) -> str | None:
        """The client id of the identity that was asked for, if one was named."""
    def __str__(self) -> NoReturn: ...
    def __format__(self, spec: str, /) -> NoReturn: ...
    def __reduce_ex__(self, protocol: Any, /) -> NoReturn: ...
    def __copy__(self) -> NoReturn: ...
    def __deepcopy__(self, *memo: object) -> NoReturn: ...

@final
class Vaultlet:
    """A handle that gets secrets and tokens, for any number of threads. It keeps connections and
    tokens, so open it once and keep it.

    In a child of `os.fork` the handle is opened again on first use. Settings that are not given come
    from the environment, as for the command line."""
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
        user_assertion_file: Path | None = None,
        cloud: Literal["public", "china", "usgov"] | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
        ca_file: Path | Iterable[Path] | None = None,
        resolve: str | Iterable[str] | None = None,
        allow_http_loopback: bool | None = None,
        allow_http_identity: str | Iterable[str] | None = None,
        policy: Path | None = None,
        agent: str | None = None,
        agent_token_file: Path | None = None,
        agent_fallback: Literal["none", "direct"] | None = None,
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
        """Get a secret. The first secret of a vault takes two requests, each further one takes one."""
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
        """Get several secrets at once, in the order of the references: all, or the first error."""
    def resolve_environment(
        self,
        variables: Mapping[str, str] | None = None,
        *,
        only: str | Iterable[str] | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
    ) -> dict[str, Secret]:
        """Get the secrets that environment variables refer to, by the names of the variables: all, or an
        error whose `variables` says which ones failed. The environment is not changed."""
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
        """List all secrets of a vault, without values, with one request for each 25 secrets. Items
        have no version; their other fields are those of the latest version."""
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
        """List all versions of a secret, newest first, without values."""
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
        """Get an access token: from the cache, or with one request."""
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
        """Tell which identity this machine's token belongs to: the one to grant a role to."""
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
        """Tell what the credentials would read and which servers they would talk to. No network."""
    def close(self) -> None:
        """Close the handle. Calls that are running on other threads go on."""
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
    """A call that was started and that no thread waits for."""
    def cancel(self) -> None:
        """Cancel the call."""

def _default() -> Vaultlet: ...
