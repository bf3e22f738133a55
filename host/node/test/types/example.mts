// Uses every declaration in an ES module; `tsc` must accept it.

import type { TokenCredential } from "@azure/core-auth";
import { SecretClient } from "@azure/keyvault-secrets";
import all, {
  ConfigurationError,
  DeniedError,
  get,
  getMany,
  list,
  NotFoundError,
  plan,
  resolveEnvironment,
  Secret,
  Token,
  token,
  Vaultlet,
  VaultletError,
  versions,
  whoami,
  type Attempt,
  type CallOptions,
  type FailedVariable,
  type Identity,
  type Kind,
  type Plan,
  type SecretProperties,
  type VaultletOptions,
} from "vaultlet";
import { VaultletCredential } from "vaultlet/azure";

const options: VaultletOptions = {
  identity: ["managed-identity", "azure-cli"],
  timeout: 30_000,
  env: process.env,
  onPrompt: (line) => console.error(line.toUpperCase()),
};
const call: CallOptions = { signal: AbortSignal.timeout(1000), timeout: 500, clientId: "id" };

const secret: Secret = await get("akv://my-key-vault/db-password", call);
const value: string = secret.reveal();
const properties: SecretProperties = secret;
const made: number | undefined = secret.properties.created?.getTime();
const many: Secret[] = await getMany(["a", "b"] as const);
const byName: Record<string, Secret> = await resolveEnvironment({ env: process.env, only: "A", ...call });
const listed: SecretProperties[] = await list("my-key-vault", { timeout: 1000 });
const [newest]: SecretProperties[] = await versions(listed[0]?.reference ?? "", call);
const got: Token = await token({ resource: "https://storage.azure.com", ...call });
const identity: Identity = await whoami();
const planned: Plan = await plan("akv://my-key-vault/db-password");
const text: string = `${secret.reference} ${got.resource} ${made} ${value.length}`;

{
  using on = new Vaultlet(options);
  await using other = await Vaultlet.open();
  using secret = await on.get("a");
  const same: Token = await other.token();
  console.log(secret.tags["a"]?.length, same.expiresOn.getTime());
}

try {
  await get("akv://my-key-vault/other");
} catch (error) {
  if (error instanceof DeniedError || error instanceof NotFoundError) {
    const kind: Kind = error.kind;
    const attempts: readonly Attempt[] = error.attempts;
    const variables: readonly FailedVariable[] = error.variables ?? [];
    console.error(variables.map(({ name, kind }) => `${name}: ${kind}`));
    console.error(kind, error.id, error.help?.length, attempts[0]?.outcome === "failed");
  }
  if (error instanceof VaultletError) {
    if (error instanceof DeniedError) console.error(error.kind satisfies "denied");
    else if (error instanceof NotFoundError) console.error(error.kind satisfies "not-found");
    else console.error(error.retryAfterMs?.toFixed(), error.status);
  }
}

const credential: TokenCredential = new VaultletCredential(new Vaultlet());
const client = new SecretClient("https://my-key-vault.vault.azure.net", new VaultletCredential());
const same: typeof ConfigurationError = all.ConfigurationError;

// @ts-expect-error: only `reveal` gives the value
secret.value;
// @ts-expect-error: programs cannot construct a secret
new Secret();
// @ts-expect-error: programs cannot change a secret
secret.name = "other";
// @ts-expect-error: there is no such option
await get("a", { timeOut: 1 });
// @ts-expect-error: there is no such cloud
new Vaultlet({ cloud: "moon" });

console.log(byName["A"]?.reference, properties.reference, many.length, identity.upn, planned.servers[0]?.port, text);
console.log(credential, client, same, newest?.enabled);
