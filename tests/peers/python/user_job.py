from azure.ai.ml.identity import AzureMLOnBehalfOfCredential
from azure.keyvault.secrets import SecretClient

credential = AzureMLOnBehalfOfCredential()
client = SecretClient(vault_url="https://my-key-vault.vault.azure.net/", credential=credential)
print(client.get_secret("secret-name").value)
