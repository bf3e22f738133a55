// A secret by the component in Node or Deno, transpiled into `vaultlet/` or another folder: `job.js REFERENCE [FOLDER]`.
import { _setEnv } from "@bytecodealliance/preview2-shim/cli";

const [, , reference, folder = "vaultlet"] = process.argv;
const { secrets } = await import(`./${folder}/vaultlet.js`);
// All of the process's, if nothing is said.
_setEnv(Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(MSI|VAULTLET)_/.test(name))));
try {
  // A promise over WASI 0.3.
  const secret = await secrets.get(reference, undefined);
  console.log(secret.reveal());
  secret[Symbol.dispose]();
} catch (thrown) {
  const error = thrown.payload ?? thrown;
  console.error(`${error.message} [${error.code}]; ${error.help} (${error.id})`);
  process.exitCode = 1;
}
// Over WASI 0.3 the timers of requests are still running, though they were cancelled.
process.exit();
