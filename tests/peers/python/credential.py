import json
import os
import sys
import urllib.request

from azure import identity
from azure.keyvault.secrets import SecretClient

tenant, client = os.environ.get("AZURE_TENANT_ID"), os.environ.get("AZURE_CLIENT_ID")


def approve(uri, user_code, expires):
    body = json.dumps({"userCode": user_code, "approve": True}).encode()
    urllib.request.urlopen(os.environ["CONTROL"] + "/device", body).close()


def password():
    return identity.UsernamePasswordCredential(
        client, os.environ["AZURE_USERNAME"], os.environ["AZURE_PASSWORD"], tenant_id=tenant
    )


def on_behalf_of():
    with open(os.environ["VAULTLET_USER_ASSERTION_FILE"]) as file:
        assertion = file.read()
    return identity.OnBehalfOfCredential(
        tenant, client, client_secret=os.environ["AZURE_CLIENT_SECRET"], user_assertion=assertion
    )


credential = {
    "client-secret": lambda: identity.ClientSecretCredential(
        tenant, client, os.environ["AZURE_CLIENT_SECRET"]
    ),
    "client-certificate": lambda: identity.CertificateCredential(
        tenant, client, os.environ["AZURE_CLIENT_CERTIFICATE_PATH"]
    ),
    "workload-identity": lambda: identity.WorkloadIdentityCredential(),
    "managed-identity": lambda: identity.ManagedIdentityCredential(),
    "user-password": password,
    "on-behalf-of": on_behalf_of,
    "device-code": lambda: identity.DeviceCodeCredential(
        client, tenant_id=tenant, prompt_callback=approve
    ),
}[sys.argv[1]]()
vault = SecretClient(vault_url="https://my-key-vault.vault.azure.net/", credential=credential)
print(vault.get_secret("secret-name").value)
