// `resolveEnvironment`, by the table that the libraries of all languages are tested by.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { Secret, Vaultlet, VaultletError } from "vaultlet";
import { failure, localAzure, PASSWORD, revealsNothing, runModule, VALUE } from "./support.mjs";

const { VAULTLET_TEST_TABLE: path } = process.env;
assert.ok(path, "`VAULTLET_TEST_TABLE` names the table");
const { seeds, denied, cases } = JSON.parse(readFileSync(path, "utf8"));
const flags = Object.entries(seeds).flatMap(([name, value]) => ["--seed", `${name}=${value}`]);
for (const name of denied) flags.push("--grant", `managed:none:${name}`);
const azure = await localAzure(...flags);
const shared = await Vaultlet.open({ env: azure.env });

const forms = {
  "the variables of a call": ({ variables, only }) => shared.resolveEnvironment({ env: variables, only }),
  "the variables of a handle": ({ variables, only }) =>
    new Vaultlet({ env: { ...azure.env, ...variables } }).resolveEnvironment({ only }),
};

for (const [form, resolve] of Object.entries(forms)) {
  for (const { name, ...given } of cases) {
    test(`${form}: ${name}`, async () => {
      if (given.secrets) {
        const secrets = await resolve(given);
        assert.ok(Object.values(secrets).every((secret) => secret instanceof Secret));
        const values = Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]);
        // Not by `deepEqual`, which would print the values.
        assert.ok(JSON.stringify(values) === JSON.stringify(Object.entries(given.secrets)));
        revealsNothing(inspect(secrets));
      } else {
        const error = await failure(resolve(given));
        assert.ok(error instanceof VaultletError);
        const failed = error.variables.map(({ name, id, kind }) => ({ name, id, kind }));
        assert.deepEqual(failed, given.failed);
        assert.deepEqual([error.id, error.kind], [failed[0].id, failed[0].kind]);
        for (const { name, message } of error.variables) {
          assert.ok(error.message.includes(`\`${name}\``) && error.message.includes(message));
        }
        assert.ok(Object.isFrozen(error.variables) && error.variables.every(Object.isFrozen));
        revealsNothing(inspect(error), JSON.stringify(error));
      }
    });
  }
}

test("the environment of the process, which is not changed", async () => {
  const text = `
    import { resolveEnvironment } from "vaultlet";
    process.env.LATER = "${PASSWORD}";
    const before = JSON.stringify(process.env);
    const secrets = await resolveEnvironment();
    const lengths = Object.entries(secrets).map(([name, secret]) => [name, secret.reveal().length]);
    console.log(JSON.stringify([lengths, before === JSON.stringify(process.env)]));`;
  const ended = await runModule(text, { ...azure.env, EARLIER: PASSWORD });
  assert.equal(ended.code, 0, ended.stderr);
  const { length } = VALUE;
  assert.deepEqual(JSON.parse(ended.stdout), [[["EARLIER", length], ["LATER", length]], true]);
  revealsNothing(ended.stdout, ended.stderr);
});

test("wrong arguments, and a signal", async () => {
  const env = { A: PASSWORD, B: "akv://", C: undefined };
  assert.deepEqual(Object.keys(await shared.resolveEnvironment({ env, only: "A" })), ["A"]);
  const missing = await failure(shared.resolveEnvironment({ env, only: ["A", "C"] }));
  assert.deepEqual([missing.kind, missing.variables], ["usage", undefined]);
  assert.match(missing.message, /`C`, which is not set/);
  assert.ok((await failure(shared.resolveEnvironment({ env: { A: 1 } }))) instanceof TypeError);
  assert.ok((await failure(shared.resolveEnvironment({ onyl: "A" }))) instanceof TypeError);
  const aborted = await failure(shared.resolveEnvironment({ env, signal: AbortSignal.abort() }));
  assert.equal(aborted.name, "AbortError");
});
