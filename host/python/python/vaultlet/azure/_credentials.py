"""Credentials for Azure's packages: tokens of vaultlet's identities, by Azure's protocol.

Each is a set of options for a handle; those with the same options share one handle and so its cache.
"""

from collections import namedtuple

from .._vaultlet import Vaultlet
from ._translate import translated

_HANDLES: dict = {}

# Options that say which handle it is, and hold no secret.
_SHARED = frozenset(
    "identity exclude client_id object_id resource_id additional_tenants cloud timeout".split()
)


class AccessToken(namedtuple("AccessToken", "token expires_on")):
    """A token and its end in Unix seconds, as `azure.core.credentials.AccessToken`; `repr()` does
    not show it."""

    __slots__ = ()

    def __repr__(self):
        return f"AccessToken(expires_on={self.expires_on})"


class AccessTokenInfo:
    """A token and what is known of it, as `azure.core.credentials.AccessTokenInfo`; `repr()` does
    not show it."""

    __slots__ = ("expires_on", "refresh_on", "token", "token_type")

    def __init__(self, token, expires_on, *, token_type="Bearer", refresh_on=None):
        self.token = token
        self.expires_on = expires_on
        self.token_type = token_type
        self.refresh_on = refresh_on

    def __repr__(self):
        return f"AccessTokenInfo(expires_on={self.expires_on}, refresh_on={self.refresh_on})"


class Base:
    """Options of a handle that is opened when it is first asked."""

    def __init__(self, **options):
        self._options = {k: _plain(v) for k, v in options.items() if v is not None}
        self._opened = None

    @property
    def _handle(self):
        options = self._options
        if options is not None:
            with translated():
                opened = _open(options)
            self._opened = self._opened or opened
            # A user's token may be among them.
            self._options = None
        return self._opened

    @classmethod
    def _of(cls, credential):
        """What a client was given; nothing is the identity that `vaultlet.get` finds."""
        if credential is None:
            return Base()
        if isinstance(credential, Base):
            return credential
        return _of_azure(credential)

    def __repr__(self):
        return f"{type(self).__name__}()"


def _open(options):
    if not _SHARED.issuperset(options):
        return Vaultlet(**options)
    key = frozenset(options.items())
    # No lock, which a child of `fork` might find locked: of two that are opened the first stays.
    return _HANDLES.get(key) or _HANDLES.setdefault(key, Vaultlet(**options))


class Credential(Base):
    """Gets tokens, by Azure's protocol for threads."""

    def get_token(self, *scopes, claims=None, tenant_id=None, enable_cae=False, **kwargs):
        """Get a token for one scope."""
        return access_token(self._token(scopes, claims, tenant_id, kwargs))

    def get_token_info(self, *scopes, options=None):
        """Get a token for one scope, with when to refresh it."""
        options = options or {}
        return info(self._token(scopes, options.get("claims"), options.get("tenant_id"), {}))

    def close(self):
        """Nothing to close: the handle is shared."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _token(self, scopes, claims, tenant, kwargs):
        call = {"timeout": kwargs["timeout"]} if kwargs.get("timeout") else {}
        with translated():
            return self._handle.token(scope_of(scopes), claims=claims, tenant=tenant, **call)


class VaultletCredential(Credential):
    """The identity that `vaultlet.get` finds, or that these options of `Vaultlet` name."""


class DefaultAzureCredential(Credential):
    """Azure's chain, in vaultlet: environment, workload identity, managed identity, logins.

    As Azure's, it is never the user of an Azure ML job; `AzureMLOnBehalfOfCredential` is.
    """

    def __init__(self, **kwargs):
        super().__init__(**default_options(kwargs))


class ManagedIdentityCredential(Credential):
    """The managed identity, system-assigned or the one that is named."""

    def __init__(self, *, client_id=None, identity_config=None, **kwargs):
        super().__init__(**managed_options(client_id, identity_config, kwargs))


class AzureMLOnBehalfOfCredential(Credential):
    """The user on whose behalf an Azure ML job runs."""

    def __init__(self, **kwargs):
        super().__init__(identity="azureml-obo", **common_options(kwargs))


_EXCLUDES = {
    "exclude_environment_credential": "environment",
    "exclude_workload_identity_credential": "workload-identity",
    "exclude_managed_identity_credential": "managed-identity",
    "exclude_cli_credential": "azure-cli",
    "exclude_developer_cli_credential": "azure-developer-cli",
    "exclude_powershell_credential": "azure-powershell",
}


def default_options(kwargs):
    """Vaultlet's options of Azure's `DefaultAzureCredential`."""
    excluded = [label for name, label in _EXCLUDES.items() if kwargs.get(name)]
    return {
        "exclude": ",".join(["azureml-obo", *excluded]),
        "client_id": kwargs.get("managed_identity_client_id"),
        **common_options(kwargs),
    }


def managed_options(client_id, identity_config, kwargs):
    """Vaultlet's options of Azure's `ManagedIdentityCredential`."""
    named = dict(identity_config or {})
    if client_id is not None:
        named["client_id"] = client_id
    unknown = set(named) - {"client_id", "object_id", "resource_id"}
    if unknown or len(named) > 1:
        raise ValueError(
            "a managed identity is named by one of client_id, object_id and resource_id, "
            f"not by {', '.join(sorted(named))}"
        )
    return {"identity": "managed-identity", **named, **common_options(kwargs)}


def common_options(kwargs):
    """Those of every credential. Options of Azure's HTTP pipeline mean nothing here; those that
    would mean another identity are refused."""
    if kwargs.get("authority") is not None:
        raise TypeError("`authority` is no option here: set AZURE_AUTHORITY_HOST")
    tenants = kwargs.get("additionally_allowed_tenants")
    return {"additional_tenants": _plain(tenants) if tenants else None}


def scope_of(scopes):
    """The one scope that a token is for."""
    if len(scopes) != 1:
        raise ValueError(f"a token is for one scope, and {len(scopes)} are given")
    return scopes[0]


def info(token):
    """Azure's form of a token."""
    return AccessTokenInfo(
        token.reveal(), _unix(token.expires_on), refresh_on=_unix(token.refresh_on)
    )


def access_token(token):
    """Azure's older form of a token."""
    return AccessToken(token.reveal(), _unix(token.expires_on))


def _unix(moment):
    return int(moment.timestamp())


def _plain(value):
    return tuple(value) if isinstance(value, (list, set, frozenset)) else value


# Azure's own credentials that name an identity by their class alone.
_OF_AZURE = {
    "DefaultAzureCredential": DefaultAzureCredential,
    "AzureMLOnBehalfOfCredential": AzureMLOnBehalfOfCredential,
}


def _of_azure(credential):
    kind = type(credential)
    if kind.__module__.startswith("azure.") and kind.__name__ in _OF_AZURE:
        import warnings

        warnings.warn(
            f"{kind.__name__} of Azure's SDK stands for vaultlet's of the same name, and its options "
            "are not seen: import it from vaultlet.azure",
            stacklevel=4,
        )
        return _OF_AZURE[kind.__name__]()
    raise TypeError(
        f"credential: a {kind.__module__}.{kind.__qualname__} is none of vaultlet's; give "
        "DefaultAzureCredential, ManagedIdentityCredential, AzureMLOnBehalfOfCredential or "
        "VaultletCredential of vaultlet.azure, or none"
    )
