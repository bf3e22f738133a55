from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

credential = DefaultAzureCredential()
client = SecretClient(vault_url="https://my-key-vault.vault.azure.net/", credential=credential)
print(client.get_secret("secret-name").value)
