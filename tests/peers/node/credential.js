import {
  ClientCertificateCredential,
  ClientSecretCredential,
  ManagedIdentityCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

const { env } = process;
const [tenant, id] = [env.AZURE_TENANT_ID, env.AZURE_CLIENT_ID];
const credential = {
  "client-secret": () => new ClientSecretCredential(tenant, id, env.AZURE_CLIENT_SECRET),
  "client-certificate": () =>
    new ClientCertificateCredential(tenant, id, env.AZURE_CLIENT_CERTIFICATE_PATH),
  "workload-identity": () => new WorkloadIdentityCredential(),
  "managed-identity": () => new ManagedIdentityCredential(),
}[process.argv[2]]();
const client = new SecretClient("https://my-key-vault.vault.azure.net/", credential);
console.log((await client.getSecret("secret-name")).value);
