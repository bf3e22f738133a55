"""`SecretClient` as of `azure-keyvault-secrets`, and credentials for Azure's other packages.

A program that reads secrets by Azure's SDK changes one line:

    from vaultlet.azure import DefaultAzureCredential, SecretClient

What writes raises `NotImplementedError`. Errors are Azure's own classes where `azure-core` is
installed, and vaultlet's at once; `vaultlet.azure.exceptions` has them either way.
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
