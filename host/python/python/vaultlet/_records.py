"""What calls return besides secrets and tokens: records to print, compare and pickle."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Literal

__all__ = ["Attempt", "FailedVariable", "Identity", "Plan", "Properties", "Server"]


class Properties(NamedTuple):
    """Everything that is known of one version of a secret except its value.

    A field is `None` where it is not known. Times are aware, in UTC. An item of `list` has no
    version; its other fields are those of the latest version.
    """

    vault: str
    name: str
    version: str | None
    content_type: str | None
    enabled: bool | None
    created_on: datetime | None
    updated_on: datetime | None
    not_before: datetime | None
    expires_on: datetime | None
    recovery_level: str | None
    recoverable_days: int | None
    managed: bool | None
    key_id: str | None
    tags: dict[str, str]

    @property
    def reference(self) -> str:
        """`akv://VAULT/NAME/VERSION`."""
        version = f"/{self.version}" if self.version else ""
        return f"akv://{self.vault}/{self.name}{version}"


class Identity(NamedTuple):
    """The identity that a token belongs to, as the token says; nothing of it is verified."""

    source: str
    endpoint: str | None
    resource: str
    client_id: str | None
    tenant: str | None
    object_id: str | None
    app_id: str | None
    upn: str | None
    audience: str | None
    expires_on: datetime
    refresh_on: datetime
    notes: list[str]


class Server(NamedTuple):
    """A server that may be talked to."""

    host: str
    port: int
    tls: bool
    purpose: Literal["vault", "token-authority", "identity-endpoint"]


class Plan(NamedTuple):
    """What the credentials would read and which servers they would talk to. With an agent, which `agent` names, that is
    done for what an agent does not do, and where it is passed over."""

    agent: str | None
    vault: Server | None
    variables: list[str]
    secrets: list[str]
    servers: list[Server]
    files: list[str]
    keys: list[str]
    programs: list[str]


class Attempt(NamedTuple):
    """One source of credentials that was asked."""

    source: str
    endpoint: str | None
    outcome: Literal["not-configured", "failed", "skipped"]
    message: str


class FailedVariable(NamedTuple):
    """A variable whose reference could not be resolved."""

    name: str
    id: str
    kind: str
    message: str


for _class in (Properties, Identity, Plan, Server, Attempt, FailedVariable):
    _class.__module__ = "vaultlet"
