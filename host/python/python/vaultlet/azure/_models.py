"""A secret and what is known of it, with the attributes of Azure's models."""

_SAME = (
    "content_type",
    "key_id",
    "enabled",
    "not_before",
    "expires_on",
    "created_on",
    "updated_on",
    "recoverable_days",
    "recovery_level",
    "managed",
)


class SecretProperties:
    """What is known of one version of a secret, but for its value."""

    def __init__(self, properties, vault_url, version):
        self._properties = properties
        self._tags = properties.tags or None
        self._identifier = KeyVaultSecretIdentifier(
            f"{vault_url}/secrets/{properties.name}" + (f"/{version}" if version else "")
        )

    @property
    def id(self):
        """The secret's URL."""
        return self._identifier.source_id

    @property
    def vault_url(self):
        """The vault's URL."""
        return self._identifier.vault_url

    @property
    def name(self):
        """The secret's name."""
        return self._identifier.name

    @property
    def version(self):
        """The version; `None` in a list of secrets."""
        return self._identifier.version

    @property
    def tags(self):
        """Its tags, `None` where there are none."""
        return self._tags

    @property
    def previous_version(self):
        """Never known."""
        return None

    def __repr__(self):
        return f"<SecretProperties [{self.id}]>"[:1024]


def _same(name):
    return property(lambda self: getattr(self._properties, name), doc=f"`{name}` as of the vault.")


for _name in _SAME:
    setattr(SecretProperties, _name, _same(_name))


class KeyVaultSecret:
    """A secret's properties and its value, which nothing shows but `value`."""

    __slots__ = ("__weakref__", "_properties", "_secret")

    def __init__(self, properties, secret):
        self._properties = properties
        self._secret = secret

    @property
    def value(self):
        """The value."""
        return self._secret.reveal()

    @property
    def properties(self):
        """All but the value."""
        return self._properties

    @property
    def id(self):
        """The secret's URL, with its version."""
        return self._properties.id

    @property
    def name(self):
        """The secret's name."""
        return self._properties.name

    def __repr__(self):
        return f"<KeyVaultSecret [{self.id}]>"[:1024]


class KeyVaultSecretIdentifier:
    """The parts of a secret's URL."""

    def __init__(self, source_id):
        scheme, _, rest = source_id.partition("://")
        parts = rest.split("/")
        if not scheme or len(parts) not in (3, 4) or not all(parts):
            raise ValueError(f"'{source_id}' is not a valid ID of a secret")
        self.source_id = source_id
        self.vault_url = f"{scheme}://{parts[0]}"
        self.name = parts[2]
        self.version = parts[3] if len(parts) == 4 else None

    def __repr__(self):
        return f"<KeyVaultSecretIdentifier [{self.source_id}]>"


def secret(found, vault_url):
    """Azure's form of a secret."""
    return KeyVaultSecret(SecretProperties(found.properties, vault_url, found.version), found)


def listing(items, vault_url, versioned):
    """Azure's form of a listing, whose items name a version only in a list of versions."""
    return [SecretProperties(one, vault_url, one.version if versioned else None) for one in items]
