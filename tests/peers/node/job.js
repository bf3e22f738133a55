import { DefaultAzureCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

const credential = new DefaultAzureCredential();
const client = new SecretClient("https://my-key-vault.vault.azure.net/", credential);
const secret = await client.getSecret("secret-name");
console.log(secret.value);
