// The process: its end, worker threads, child processes, and Node's own WebAssembly.

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { get, Vaultlet } from "vaultlet";
import {
  localAzure,
  moduleOf,
  PASSWORD,
  revealsNothing,
  runModule,
  silentAzure,
  VALUE,
} from "./support.mjs";

const azure = await localAzure();
const { env } = azure;

test("a running call keeps the process alive, an idle handle does not", async () => {
  const text = `
    import { get, Vaultlet } from "vaultlet";
    const on = await Vaultlet.open();
    const other = new Vaultlet();
    on.get("${PASSWORD}").then((secret) => {
      console.log(secret.reveal().length);
      other.get("${PASSWORD}").then(({ length }) => console.log("again"));
    });
    globalThis.kept = [on, other];`;
  const ended = await runModule(text, env);
  assert.deepEqual([ended.code, ended.stdout], [0, `${VALUE.length}\nagain\n`], ended.stderr);
  revealsNothing(ended.stdout, ended.stderr);
});

test("the process may exit during a call", async () => {
  const silent = await silentAzure();
  const text = `
    import { get } from "vaultlet";
    get("${PASSWORD}");
    setImmediate(() => process.exit(7));`;
  const ended = await runModule(text, silent.env);
  assert.deepEqual([ended.code, ended.signal ?? null], [7, null], ended.stderr);
});

test("an uncaught error is printed in one line that says what to do", async () => {
  const text = `import { get } from "vaultlet"; await get("akv://my-key-vault/other");`;
  const ended = await runModule(text, env);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /^NotFoundError: reading secret .*\(secret-not-found\)$/m);
  assert.match(ended.stderr, /id: 'secret-not-found'/);
  revealsNothing(ended.stdout, ended.stderr);
});

const WORKER = `
  import { parentPort, workerData } from "node:worker_threads";
  import { get, Vaultlet, whoami } from "vaultlet";
  const on = workerData.env ? new Vaultlet({ env: workerData.env }) : { get, whoami };
  const secrets = await Promise.all(Array.from({ length: 20 }, () => on.get("${PASSWORD}")));
  parentPort.postMessage(secrets.map((secret) => secret.reveal().length));`;

function worker(text, workerData) {
  const file = moduleOf(text);
  const worker = new Worker(file, { workerData });
  worker.once("exit", () => rmSync(file));
  return worker;
}

test("worker threads, each with a handle of its own, in parallel", async () => {
  const lengths = Array(20).fill(VALUE.length);
  const workers = Array.from({ length: 6 }, () => worker(WORKER, { env }));
  const told = workers.map(async (worker) => (await once(worker, "message"))[0]);
  const ended = workers.map(async (worker) => (await once(worker, "exit"))[0]);
  assert.deepEqual(await Promise.all(told), Array(6).fill(lengths));
  assert.deepEqual(await Promise.all(ended), Array(6).fill(0));
});

test("worker threads share the package's handle: one token for all of them", async () => {
  const text = `
    import { once } from "node:events";
    import { Worker } from "node:worker_threads";
    import { whoami } from "vaultlet";
    const file = process.env.WORKER;
    const workers = Array.from({ length: 4 }, () => new Worker(file, { workerData: {} }));
    const ends = await Promise.all(workers.map((worker) => once(worker, "exit")));
    await whoami();
    console.log(ends.join());`;
  const before = await azure.counters();
  const file = moduleOf(WORKER);
  const ended = await runModule(text, { ...env, WORKER: file });
  rmSync(file);
  assert.deepEqual([ended.code, ended.stdout], [0, "0,0,0,0\n"], ended.stderr);
  const counted = await azure.counters();
  assert.equal(counted.identity["azure-ml"] - (before.identity["azure-ml"] ?? 0), 1);
});

test("the package stays loaded when the workers that loaded it end", async () => {
  const text = `
    import { once } from "node:events";
    import { Worker } from "node:worker_threads";
    for (let times = 0; times < 5; times++) {
      const [code] = await once(new Worker(process.env.WORKER, { workerData: {} }), "exit");
      console.log(code);
    }`;
  const file = moduleOf(WORKER);
  const ended = await runModule(text, { ...env, WORKER: file });
  rmSync(file);
  assert.deepEqual([ended.code, ended.stdout], [0, "0\n".repeat(5)], ended.stderr);
});

test("terminating a worker during its calls does not harm others", async () => {
  const silent = await silentAzure();
  const text = `
    import { parentPort, workerData } from "node:worker_threads";
    import { Vaultlet } from "vaultlet";
    const [on, silent] = [workerData.env, workerData.silent].map((env) => new Vaultlet({ env }));
    for (let at = 0; at < 50; at++) silent.get("${PASSWORD}");
    parentPort.postMessage("begun");
    for (;;) await Promise.all(Array.from({ length: 30 }, () => on.get("${PASSWORD}")));`;
  for (let round = 0; round < 8; round++) {
    const workers = Array.from({ length: 3 }, () => worker(text, { env, silent: silent.env }));
    await Promise.all(workers.map((worker) => once(worker, "message")));
    // Some have had answers by then, and some have not.
    for (let turns = 0; turns < round * 5; turns++) await new Promise(setImmediate);
    const codes = await Promise.all(workers.map((worker) => worker.terminate()));
    assert.deepEqual(codes, [1, 1, 1]);
  }
});

test("the parent gets a worker's error, which shows no secret", async () => {
  const text = `
    import { Vaultlet } from "vaultlet";
    import { workerData } from "node:worker_threads";
    await new Vaultlet(workerData).get("akv://my-key-vault/other");`;
  const [error] = await once(worker(text, { env }), "error");
  assert.match(error.message, /\(secret-not-found\)$/);
  revealsNothing(error.stack, error.message);
});

test("a forked child gets a secret while the parent holds a handle", async () => {
  const on = await Vaultlet.open({ env });
  await on.get(PASSWORD);
  const file = moduleOf(`
    import { get } from "vaultlet";
    process.send((await get("${PASSWORD}")).reveal().length);
    process.disconnect();`);
  const child = fork(file, { env });
  const [length] = await once(child, "message");
  assert.equal(length, VALUE.length);
  assert.equal((await once(child, "exit"))[0], 0);
  await on.get(PASSWORD);
  rmSync(file);
});

test("Node's own WebAssembly traps as before", async () => {
  // (module (memory 1) (func (export "f") (param i32) (result i32) local.get 0 i32.load))
  const bytes = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1,
    102, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11,
  ]);
  const module = new WebAssembly.Module(bytes);
  const traps = () => {
    const { f } = new WebAssembly.Instance(module).exports;
    assert.equal(f(0), 0);
    assert.throws(() => f(-8), WebAssembly.RuntimeError);
  };
  traps();
  Object.assign(process.env, { VAULTLET_TIMEOUT: "soon" });
  const error = await get(PASSWORD).catch((error) => error);
  assert.equal(error.id, "setting-malformed");
  delete process.env.VAULTLET_TIMEOUT;
  Object.assign(process.env, env);
  assert.ok((await get(PASSWORD)).reveal() === VALUE);
  for (let times = 0; times < 100; times++) traps();
  assert.ok((await get(PASSWORD)).reveal() === VALUE);
});
