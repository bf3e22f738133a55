// Failures of calls: class, id and help as on the command line, a signal's reason, and timeouts.

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import * as vaultlet from "vaultlet";
import {
  failure,
  localAzure,
  PASSWORD,
  program,
  revealsNothing,
  run,
  silentAzure,
  VAULT,
} from "./support.mjs";

const { DeniedError, NotConfiguredError, TimeoutError } = vaultlet;
const { Vaultlet, VaultletError } = vaultlet;
const azure = await localAzure("--grant", "managed:none:db");
const { env } = azure;

/** The failure of the command line for the same reference. */
async function ofCommandLine(arguments_, env) {
  const json = await run(program, ["get", "-o", "json", ...arguments_], env);
  const text = await run(program, ["get", ...arguments_], env);
  const { error } = JSON.parse(json.stderr);
  return { error, line: text.stderr.trimEnd().replace(/^vaultlet: /, "") };
}

const CASES = [
  ["a secret that is denied", `akv://${VAULT}/db`, {}, "DeniedError"],
  ["one that is not there", `akv://${VAULT}/other`, {}, "NotFoundError"],
  ["a malformed reference", "akv://", {}, "InvalidArgumentError"],
  ["a pointer to nothing", `${PASSWORD}?json=/a`, {}, "InvalidArgumentError"],
  ["no identity", PASSWORD, { MSI_ENDPOINT: "", VAULTLET_IDENTITY: "azureml-obo" }, "NotConfiguredError"],
  ["an identity that is refused", PASSWORD, { MSI_SECRET: "wrong" }, "UnauthenticatedError"],
  ["a malformed setting", PASSWORD, { VAULTLET_TIMEOUT: "soon" }, "ConfigurationError"],
];

for (const [what, reference, variables, name] of CASES) {
  test(`${what} fails as on the command line`, async () => {
    const there = { ...env, ...variables };
    const { error: wanted, line } = await ofCommandLine([reference], there);
    const error = await failure(new Vaultlet({ env: there }).get(reference));
    assert.ok(error instanceof vaultlet[name], `${error}`);
    assert.ok(error instanceof VaultletError && error instanceof Error);
    assert.equal(error.name, name);
    const stable = (text) => text?.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID");
    assert.equal(stable(error.message), stable(line));
    assert.equal(stable(error.detail), stable(wanted.message));
    assert.deepEqual([error.id, error.code, error.kind], [wanted.id, wanted.id, wanted.kind]);
    assert.deepEqual([error.help, error.status], [wanted.help, wanted.status]);
    assert.equal(error.serviceCode, wanted.code);
    assert.equal(typeof error.requestId, typeof wanted.requestId);
    assert.deepEqual(error.attempts, wanted.attempts ?? []);
    revealsNothing(inspect(error, { showHidden: true }), JSON.stringify(error));
  });
}

test("the stack names the function that awaits", async () => {
  const error = await failure(whoAwaits());
  assert.match(error.stack, /^NotFoundError: /);
  assert.match(error.stack, /whoAwaits/);

  async function whoAwaits() {
    return await new Vaultlet({ env }).get(`akv://${VAULT}/other`);
  }
});

test("wrong settings fail when a handle is opened, or at its first call", async () => {
  const wrong = { env, caFile: "/no/such/file" };
  const opened = await failure(Vaultlet.open(wrong));
  const called = await failure(new Vaultlet(wrong).get(PASSWORD));
  assert.deepEqual([opened.id, called.id], ["ca-file", "ca-file"]);
});

test("a call succeeds after the role is granted", async () => {
  const on = new Vaultlet({ env });
  const reference = `akv://${VAULT}/db?json=/user`;
  const denied = await failure(on.get(reference));
  assert.ok(denied instanceof DeniedError);
  assert.equal(denied.serviceCode, "ForbiddenByRbac");
  assert.match(denied.help, /Key Vault Secrets User/);
  await azure.grant("managed", "secrets-user", "db");
  assert.equal((await on.get(reference)).reveal(), "ann");
});

test("attempts name each source that was asked", async () => {
  const error = await failure(new Vaultlet({ env: {}, identity: "azureml-obo" }).token());
  assert.ok(error instanceof NotConfiguredError);
  assert.equal(error.attempts.length, 1);
  assert.deepEqual(error.attempts[0].source, "azureml-obo");
  assert.deepEqual(error.attempts[0].outcome, "not-configured");
  assert.ok(Object.isFrozen(error.attempts) && Object.isFrozen(error.attempts[0]));
});

test("timeouts of a call and of a handle", async () => {
  const silent = await silentAzure();
  const on = new Vaultlet({ env: silent.env, timeout: 60_000 });
  const ofCall = await failure(on.get(PASSWORD, { timeout: 5 }));
  const ofHandle = await failure(new Vaultlet({ env: silent.env, timeout: 5 }).get(PASSWORD));
  for (const error of [ofCall, ofHandle]) {
    assert.ok(error instanceof TimeoutError, `${error}`);
    assert.deepEqual([error.kind, error.id], ["timeout", "timeout"]);
  }
});

test("a call rejects with its signal's reason, as fetch does", async () => {
  const silent = await silentAzure();
  const on = new Vaultlet({ env: silent.env });
  const calls = [
    (options) => on.get(PASSWORD, options),
    (options) => on.getMany([PASSWORD], options),
    (options) => on.token(options),
    (options) => on.whoami(options),
  ];
  for (const call of calls) {
    const plain = new AbortController();
    const running = failure(call({ signal: plain.signal }));
    plain.abort();
    const error = await running;
    assert.equal(error.name, "AbortError");
    assert.equal(error, plain.signal.reason);
    const reason = { any: "thing" };
    assert.equal(await failure(call({ signal: AbortSignal.abort(reason) })), reason);
  }
  const error = await failure(on.get(PASSWORD, { signal: AbortSignal.timeout(5) }));
  assert.equal(error.name, "TimeoutError");
  assert.ok(error instanceof DOMException);
});

test("an aborted call closes its connection to the identity endpoint", async () => {
  const silent = await silentAzure();
  const asked = silent.asked();
  const ended = new AbortController();
  const running = failure(new Vaultlet({ env: silent.env }).get(PASSWORD, ended));
  await asked;
  ended.abort();
  assert.equal((await running).name, "AbortError");
});

test("one signal cancels all calls that have it, and no others", async (t) => {
  const warnings = [];
  const heard = (warning) => warnings.push(warning.name);
  process.on("warning", heard);
  t.after(() => process.off("warning", heard));
  const silent = await silentAzure();
  const [on, other] = [new Vaultlet({ env: silent.env }), new Vaultlet({ env })];
  const { signal, ...ended } = bound(new AbortController());
  const running = Array.from({ length: 1000 }, () => failure(on.get(PASSWORD, { signal })));
  const lives = other.get(PASSWORD);
  ended.abort();
  for (const error of await Promise.all(running)) assert.equal(error, signal.reason);
  await lives;
  assert.deepEqual(warnings, []);
});

test("a signal that is never aborted is not kept alive", async () => {
  const on = new Vaultlet({ env });
  const listeners = { add: 0, remove: 0 };
  const signal = {
    aborted: false,
    addEventListener: () => listeners.add++,
    removeEventListener: () => listeners.remove++,
  };
  await on.get(PASSWORD, { signal });
  await failure(on.get(`akv://${VAULT}/other`, { signal }));
  assert.deepEqual(listeners, { add: 2, remove: 2 });
});

test("errors for arguments of the wrong type do not show the argument", async () => {
  const on = new Vaultlet({ env });
  const wrong = [
    [() => on.get(7), /the reference must be a string, not of type number/],
    [() => on.get(), /not of type undefined/],
    [() => on.get(PASSWORD, null), /the options must be an object, not null/],
    [() => on.get(PASSWORD, { timeOut: 1 }), /there is no option `timeOut`; there are signal, timeout/],
    [() => on.get(PASSWORD, { timeout: "1" }), /`timeout` must be a number/],
    [() => on.get(PASSWORD, { timeout: -1 }), /`timeout` must be milliseconds above 0/],
    [() => on.get(PASSWORD, { timeout: Number.NaN }), /`timeout` must be milliseconds above 0/],
    [() => on.get(PASSWORD, { signal: {} }), /`signal` must be an AbortSignal/],
    [() => on.get(PASSWORD, { clientId: "a", objectId: "b" }), /at most one of the options/],
    [() => on.getMany(PASSWORD), /the references must be an array/],
    [() => on.getMany([PASSWORD, 1]), /a reference must be a string/],
    [() => on.token({ claims: {} }), /`claims` must be a string, not of type object/],
    [() => Vaultlet.open({ concurrency: 0 }), /`concurrency` must be an integer from 1 to 1024/],
    [() => Vaultlet.open({ env: { A: 1 } }), /variable `A` must be a string/],
    [() => Vaultlet.open({ onPrompt: "x" }), /`onPrompt` must be a function/],
  ];
  for (const [call, message] of wrong) {
    const error = await failure(call());
    assert.ok(error instanceof TypeError || error instanceof RangeError, `${error}`);
    assert.match(error.message, message);
  }
  assert.throws(() => new Vaultlet({ cluod: "public" }), /there is no option `cluod`/);
});

test("both forms of the package export each class", async () => {
  const { default: required } = await import("vaultlet");
  const exported = Object.keys(vaultlet).filter((name) => name !== "default");
  assert.deepEqual(exported.sort(), Object.keys(required).sort());
  const classes = exported.filter((name) => vaultlet[name].prototype instanceof VaultletError);
  assert.equal(classes.length, 13);
});

function bound(controller) {
  return { signal: controller.signal, abort: () => controller.abort() };
}
