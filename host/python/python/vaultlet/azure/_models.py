"""Azure's models: a secret, and what is known of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from .._records import Properties
    from .._vaultlet import Secret


class SecretProperties:
    """Everything that is known of one version of a secret except its value."""

    def __init__(self, properties: Properties, vault_url: str, version: str | None) -> None:
        self._properties = properties
        self._tags = properties.tags or None
        self._identifier = KeyVaultSecretIdentifier(
            f"{vault_url}/secrets/{properties.name}" + (f"/{version}" if version else "")
        )

    @property
    def id(self) -> str:
        """The secret's URL."""
        return self._identifier.source_id

    @property
    def vault_url(self) -> str:
        """The vault's URL."""
        return self._identifier.vault_url

    @property
    def name(self) -> str:
        """The secret's name."""
        return self._identifier.name

    @property
    def version(self) -> str | None:
        """The version; `None` in a list of secrets."""
        return self._identifier.version

    @property
    def content_type(self) -> str | None:
        """The content type that the secret's author set."""
        return self._properties.content_type

    @property
    def key_id(self) -> str | None:
        """The key of the certificate that the secret belongs to."""
        return self._properties.key_id

    @property
    def enabled(self) -> bool | None:
        """Whether the secret may be read."""
        return self._properties.enabled

    @property
    def not_before(self) -> datetime | None:
        """The secret is not meant to be used before this time; not enforced."""
        return self._properties.not_before

    @property
    def expires_on(self) -> datetime | None:
        """The secret is not meant to be used after this time; not enforced."""
        return self._properties.expires_on

    @property
    def created_on(self) -> datetime | None:
        """When this version was created."""
        return self._properties.created_on

    @property
    def updated_on(self) -> datetime | None:
        """When this version was last changed."""
        return self._properties.updated_on

    @property
    def recoverable_days(self) -> int | None:
        """The number of days for which a deleted secret can be recovered."""
        return self._properties.recoverable_days

    @property
    def recovery_level(self) -> str | None:
        """What deleting the secret would mean."""
        return self._properties.recovery_level

    @property
    def managed(self) -> bool | None:
        """True when the secret belongs to a certificate."""
        return self._properties.managed

    @property
    def tags(self) -> dict[str, str] | None:
        """The secret's tags; `None` where it has none."""
        return self._tags

    @property
    def previous_version(self) -> str | None:
        """Always `None`: vaultlet does not know it."""
        return None

    def __repr__(self) -> str:
        return f"<SecretProperties [{self.id}]>"[:1024]


class KeyVaultSecret:
    """A secret's properties, and its value, which only `value` shows."""

    __slots__ = ("__weakref__", "_properties", "_secret")

    def __init__(self, properties: SecretProperties, secret: Secret) -> None:
        self._properties = properties
        self._secret = secret

    @property
    def value(self) -> str:
        """The secret's value."""
        return self._secret.reveal()

    @property
    def properties(self) -> SecretProperties:
        """Everything except the value."""
        return self._properties

    @property
    def id(self) -> str:
        """The secret's URL, with its version."""
        return self._properties.id

    @property
    def name(self) -> str:
        """The secret's name."""
        return self._properties.name

    def __repr__(self) -> str:
        return f"<KeyVaultSecret [{self.id}]>"[:1024]


class KeyVaultSecretIdentifier:
    """The parts of a secret's URL."""

    source_id: str
    vault_url: str
    name: str
    version: str | None

    def __init__(self, source_id: str) -> None:
        scheme, _, rest = source_id.partition("://")
        parts = rest.split("/")
        if not scheme or len(parts) not in (3, 4) or not all(parts):
            raise ValueError(f"'{source_id}' is not a valid ID of a secret")
        self.source_id = source_id
        self.vault_url = f"{scheme}://{parts[0]}"
        self.name = parts[2]
        self.version = parts[3] if len(parts) == 4 else None

    def __repr__(self) -> str:
        return f"<KeyVaultSecretIdentifier [{self.source_id}]>"


def key_vault_secret(secret: Secret, vault_url: str) -> KeyVaultSecret:
    """Converts a secret to Azure's model."""
    return KeyVaultSecret(SecretProperties(secret.properties, vault_url, secret.version), secret)


def listing(
    items: Iterable[Properties], vault_url: str, versioned: bool
) -> list[SecretProperties]:
    """Converts a listing to Azure's models. Only items of a list of versions name a version."""
    return [SecretProperties(one, vault_url, one.version if versioned else None) for one in items]
