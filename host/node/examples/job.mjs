// A training job that gets its secret. To run it in a local Azure:
//
// vaultlet dev --vault my-key-vault --seed db-password=hunter2 -- node job.mjs
import { DeniedError, get } from "vaultlet";

try {
  const password = await get("akv://my-key-vault/db-password", { timeout: 30_000 });
  console.log(`got ${password.reference}, created at ${password.created.toISOString()}`);
  connect("db.internal", password.reveal());
} catch (error) {
  if (!(error instanceof DeniedError)) throw error;
  console.error(error.help);
  process.exitCode = 1;
}

function connect(host, password) {
  console.log(`connected to ${host} with a password of ${password.length} characters`);
}
