// Uses the declarations in a CommonJS module.

import vaultlet = require("vaultlet");
import azure = require("vaultlet/azure");

async function job(on: vaultlet.Vaultlet): Promise<number> {
  const secret: vaultlet.Secret = await vaultlet.get("akv://my-key-vault/db-password");
  const again = await on.get(secret.reference, { signal: new AbortController().signal });
  const { token, expiresOnTimestamp } = await new azure.VaultletCredential(on).getToken("scope");
  return secret.reveal().length + again.reveal().length + token.length + expiresOnTimestamp;
}

job(new vaultlet.Vaultlet({ clientId: "id" })).catch((error: unknown) => {
  if (error instanceof vaultlet.ThrottledError) console.error(error.retryAfterMs);
});
