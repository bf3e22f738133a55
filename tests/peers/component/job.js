// A secret by the component in Node, transpiled into `vaultlet/`: `job.js REFERENCE`.
import { _setEnv } from "@bytecodealliance/preview2-shim/cli";
import { secrets } from "./vaultlet/vaultlet.js";

// All of the process's, if nothing is said.
_setEnv(Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(MSI|VAULTLET)_/.test(name))));
try {
  const secret = secrets.get(process.argv[2], undefined);
  console.log(secret.reveal());
  secret[Symbol.dispose]();
} catch (thrown) {
  const error = thrown.payload ?? thrown;
  console.error(`${error.message} [${error.code}]; ${error.help} (${error.id})`);
  process.exitCode = 1;
}
