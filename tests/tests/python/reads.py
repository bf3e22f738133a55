# A program for Azure's SDK: everything that a program can read of a vault, and the errors it may get.
import os

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

ATTRIBUTES = (
    "id name version vault_url content_type key_id enabled not_before expires_on created_on"
    " updated_on recoverable_days managed tags previous_version"
).split()


def tell(what, properties):
    print(what, properties, *((name, getattr(properties, name)) for name in ATTRIBUTES))
    # An enumeration in Azure's SDK, a string in vaultlet: both are equal to the string.
    print(properties.recovery_level == "Recoverable+Purgeable")


client = SecretClient(
    vault_url="https://my-key-vault.vault.azure.net/", credential=DefaultAzureCredential()
)
print(client.vault_url)

for name in ("plain", "rich"):
    secret = client.get_secret(name)
    print(secret, secret.id, secret.name, secret.value == os.environ["VALUE"], type(secret.value))
    tell("got", secret.properties)

versions = list(client.list_properties_of_secret_versions("plain"))
for properties in sorted(versions, key=lambda one: one.version):
    tell("version", properties)
    print(client.get_secret("plain", properties.version).id)
print(client.get_secret("plain", version=versions[0].version).properties.version)

for properties in client.list_properties_of_secrets():
    tell("listed", properties)
for page in client.list_properties_of_secrets(max_page_size=2).by_page():
    print("page", [properties.name for properties in page])
print(len({one.name for one in client.list_properties_of_secrets()}))

for name, version in (
    ("missing", None),
    ("plain", "0" * 32),
    ("denied", None),
    ("disabled", None),
    ("no such name", None),
):
    try:
        client.get_secret(name, version)
    except ResourceNotFoundError as error:
        print("not found", name, error.status_code, error.reason, error.error.code)
    except HttpResponseError as error:
        print("refused", name, error.status_code, error.reason, error.error.code, error.error.innererror)

try:
    list(client.list_properties_of_secret_versions("missing"))
    print("no versions")
except ResourceNotFoundError as error:
    print("not found", error.status_code, error.error.code)

with client:
    print(client.get_secret("plain").name)
