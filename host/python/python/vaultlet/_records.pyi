from datetime import datetime
from typing import Literal, NamedTuple

class Properties(NamedTuple):
    """All that is known of one version of a secret, but for its value; `None` where it is not."""
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

class Identity(NamedTuple):
    """Whose token it is, by what it says of itself; nothing of that is verified."""
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
    """What the credentials would read and whom they would talk to."""
    vault: Server | None
    variables: list[str]
    servers: list[Server]
    files: list[str]
    keys: list[str]
    programs: list[str]

class Attempt(NamedTuple):
    """What became of one source of credentials."""
    source: str
    endpoint: str | None
    outcome: Literal["not-configured", "failed", "skipped"]
    message: str
