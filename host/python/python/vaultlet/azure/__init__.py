"""A replacement for `SecretClient` of Azure's SDK, and credentials for Azure's other packages.

A program that reads secrets with Azure's SDK changes one line:

    from vaultlet.azure import DefaultAzureCredential, SecretClient

Methods that write raise `NotImplementedError`. An error is an instance both of vaultlet's class and
of Azure's own, where `azure-core` is installed; `vaultlet.azure.exceptions` has the classes either
way.
"""

from ._client import SecretClient
from ._credentials import (
    AccessToken,
    AccessTokenInfo,
    AzureMLOnBehalfOfCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    VaultletCredential,
)
from ._models import KeyVaultSecret, KeyVaultSecretIdentifier, SecretProperties

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import aio as aio, exceptions as exceptions

__all__ = [
    "AccessToken",
    "AccessTokenInfo",
    "AzureMLOnBehalfOfCredential",
    "DefaultAzureCredential",
    "KeyVaultSecret",
    "KeyVaultSecretIdentifier",
    "ManagedIdentityCredential",
    "SecretClient",
    "SecretProperties",
    "VaultletCredential",
]
