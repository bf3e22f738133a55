"""What calls answer besides secrets: plain records, which may be printed, compared and pickled."""

from collections import namedtuple


class Properties(
    namedtuple(
        "Properties",
        "vault name version content_type enabled created_on updated_on not_before expires_on"
        " recovery_level recoverable_days managed key_id tags",
    )
):
    """All that is known of one version of a secret, but for its value; `None` where it is not.

    Times are aware, in UTC. What `list` answers has no version; all else is that of the latest.
    """

    __slots__ = ()

    @property
    def reference(self):
        """`akv://VAULT/NAME/VERSION`."""
        version = f"/{self.version}" if self.version else ""
        return f"akv://{self.vault}/{self.name}{version}"


class Identity(
    namedtuple(
        "Identity",
        "source endpoint resource client_id tenant object_id app_id upn audience expires_on"
        " refresh_on notes",
    )
):
    """Whose token it is, by what it says of itself; nothing of that is verified."""

    __slots__ = ()


class Plan(namedtuple("Plan", "vault variables servers files keys programs")):
    """What the credentials would read and whom they would talk to."""

    __slots__ = ()


class Server(namedtuple("Server", "host port tls purpose")):
    """A server that may be talked to."""

    __slots__ = ()


class Attempt(namedtuple("Attempt", "source endpoint outcome message")):
    """What became of one source of credentials."""

    __slots__ = ()


for _class in (Properties, Identity, Plan, Server, Attempt):
    _class.__module__ = "vaultlet"
