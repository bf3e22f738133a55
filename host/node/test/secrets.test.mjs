// Every way in which JavaScript converts an object to a string or copies it, tried on a secret and a token.

import assert from "node:assert/strict";
import { Console } from "node:console";
import { readFileSync, rmSync } from "node:fs";
import { Writable } from "node:stream";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { deserialize, serialize } from "node:v8";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { Secret, Token, Vaultlet } from "vaultlet";
import { failure, here, localAzure, PASSWORD, revealsNothing, runModule, VALUE, VAULT } from "./support.mjs";

const azure = await localAzure();
const { env } = azure;
const on = new Vaultlet({ env });
const secret = await on.get(PASSWORD);
const token = await on.token();

for (const held of [secret, token]) {
  const name = held.constructor.name;

  test(`${name}: what inspects it shows its name`, () => {
    const shown = held === secret ? secret.reference : "https://vault.azure.net by managed-identity";
    assert.equal(`${Object.prototype.toString.call(held)}`, `[object ${name}]`);
    for (const text of [inspect(held), format("%o", held), format("%O", held), format(held)]) {
      assert.equal(text, `${name}(${shown})`);
    }
  });

  test(`${name}: the console does not show the value, at any depth`, () => {
    let text = "";
    const write = (chunk, _, done) => done((text += chunk));
    const stream = new Writable({ write: (chunk, _, done) => write(chunk, _, () => done()) });
    const console = new Console({ stdout: stream, stderr: stream });
    const around = { held, list: [held], map: new Map([[held, held]]), set: new Set([held]) };
    console.log(held, around);
    console.error(new Error("failed", { cause: held }));
    console.dir(around, { showHidden: true, depth: null });
    console.table([held, around]);
    console.debug("%o %O %j", held, held, "x");
    const options = { showHidden: true, depth: null, customInspect: false, getters: true, showProxy: true };
    text += inspect(held, options) + inspect(new Proxy(held, {}), options);
    text += inspect(Object.assign(new Error("failed"), { held }), options);
    assert.ok(text.includes(name));
    revealsNothing(text);
  });

  test(`${name}: copies do not have the value`, () => {
    assert.deepEqual(Object.entries(held), []);
    assert.deepEqual({ ...held }, {});
    assert.deepEqual(Reflect.ownKeys(held), []);
    assert.deepEqual(Object.assign({}, held), {});
    assert.deepEqual(structuredClone(held), {});
    assert.deepEqual(structuredClone(new Map([["a", [held]]])), new Map([["a", [{}]]]));
    const bytes = serialize({ held });
    revealsNothing(bytes.toString("latin1"), bytes.toString("utf16le"));
    assert.deepEqual(deserialize(bytes), { held: {} });
    const { port1, port2 } = new MessageChannel();
    port1.postMessage({ held });
    assert.deepEqual(receiveMessageOnPort(port2).message, { held: {} });
    port1.close();
  });

  test(`${name}: strings, JSON and arithmetic throw, and say what to do`, () => {
    const throws = [
      () => `${held}`,
      () => `postgres://user:${held}@db`,
      () => String(held),
      () => held.toString(),
      () => [held].join(),
      () => "x".concat(held),
      () => format("%s", held),
      () => encodeURIComponent(held),
      () => new URLSearchParams({ password: held }),
      () => ({ [held]: 1 }),
      () => Buffer.from(`${held}`),
      () => JSON.stringify(held),
      () => JSON.stringify({ deep: [{ held }] }),
      () => held + "",
      () => +held,
      () => held == VALUE,
      () => held < 1,
      () => held.valueOf(),
      () => format("%j", held),
      () => format("%d", held),
    ];
    for (const [at, act] of throws.entries()) {
      assert.throws(act, (error) => {
        revealsNothing(error.stack, inspect(error, { showHidden: true }));
        return error instanceof TypeError && error.message.includes("reveal()");
      }, `${at}`);
    }
  });

  test(`${name}: only the package can construct one`, () => {
    const { constructor } = held;
    assert.throws(() => new constructor(), { name: "TypeError", message: "Illegal constructor" });
    assert.throws(() => constructor.prototype.reveal.call({}), TypeError);
    assert.throws(() => constructor.prototype.reveal.call(Object.create(held)), TypeError);
    assert.ok(Secret.prototype !== Token.prototype);
  });
}

test("after dispose the value is gone and the properties remain", async () => {
  for (const held of [await on.get(PASSWORD), await on.token()]) {
    const shown = inspect(held);
    held.dispose();
    held.dispose();
    assert.throws(() => held.reveal(), /was disposed of/);
    assert.equal(inspect(held), shown);
    assert.ok(held.created ?? held.expiresOn);
  }
  if (Symbol.dispose) {
    const held = await on.get(PASSWORD);
    held[Symbol.dispose]();
    assert.throws(() => held.reveal(), /was disposed of/);
  }
});

test("a value of any text is returned unchanged", async () => {
  const values = { letters: "ünï 🔑", lines: "a\r\nb\n", long: "x".repeat(25_000) };
  const seeds = Object.entries(values).flatMap(([name, value]) => ["--seed", `${name}=${value}`]);
  const nul = 'nul={"a":"b\\u0000c"}';
  const texts = new Vaultlet({ env: (await localAzure(...seeds, "--seed", nul)).env });
  for (const [name, value] of Object.entries(values)) {
    assert.equal((await texts.get(`akv://${VAULT}/${name}`)).reveal(), value);
  }
  assert.equal((await texts.get(`akv://${VAULT}/nul?json=/a`)).reveal(), "b\u0000c");
});

test("errors do not have the value, neither as a cause nor as a property", async () => {
  const error = await failure(on.get(`${PASSWORD}?json=/a`));
  assert.equal(error.id, "secret-not-json");
  assert.equal(error.cause, undefined);
  revealsNothing(error.stack, inspect(error, { showHidden: true, depth: null }));
});

test("diagnostic reports and heap snapshots have neither values nor tokens", async () => {
  // In a process that never reveals the value, and does not have it from this test.
  const text = `
    import { writeFileSync } from "node:fs";
    import { writeHeapSnapshot } from "node:v8";
    import { Vaultlet } from "vaultlet";
    const on = new Vaultlet();
    const held = [await on.get("${PASSWORD}"), await on.token()];
    writeHeapSnapshot("snapshot.json");
    writeFileSync("report.json", JSON.stringify(process.report.getReport()));
    console.log(held);`;
  const ended = await runModule(text, env);
  assert.equal(ended.code, 0, ended.stderr);
  for (const name of ["snapshot.json", "report.json"]) {
    const written = readFileSync(here + name, "utf8");
    assert.ok(written.includes("vaultlet"));
    revealsNothing(written);
    rmSync(here + name);
  }
  revealsNothing(ended.stdout, ended.stderr);
});
