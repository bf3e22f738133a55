// Many calls and many handles do not grow memory. `VAULTLET_TEST_FULL=1` runs the full number.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { TimeoutError, Vaultlet } from "vaultlet";
import { failure, localAzure, PASSWORD, VALUE } from "./support.mjs";

const full = process.env.VAULTLET_TEST_FULL === "1";
const azure = await localAzure();
const { env } = azure;

test("16 callers, a thousand calls each, some cancelled, some timed out", async (t) => {
  const each = full ? 1000 : 100;
  const on = new Vaultlet({ env });
  await on.get(PASSWORD);
  const ended = { done: 0, aborted: 0, late: 0 };
  const round = () => Promise.all(Array.from({ length: 16 }, (_, of) => calls(on, of, each, ended)));
  // The first round fills caches and pools.
  await round();
  const before = await memory();
  await round();
  const after = await memory();
  t.diagnostic(`${JSON.stringify(ended)}; MB before ${before}, after ${after}`);
  assert.equal(ended.done + ended.aborted + ended.late, 2 * 16 * each);
  assert.ok(ended.done >= 16 * each && ended.aborted > 0, JSON.stringify(ended));
  assert.ok(after - before < 16, `it grew from ${before} to ${after} MB`);
  const counted = await azure.counters();
  assert.equal(counted.identity["azure-ml"], 1);
  on.close();
});

async function calls(on, of, each, ended) {
  for (let at = 0; at < each; at++) {
    switch ((of + at) % 4) {
      case 0: {
        const controller = new AbortController();
        const running = on.get(PASSWORD, controller);
        if (at % 8 < 4) controller.abort();
        else setImmediate(() => controller.abort());
        await running.then(done, (error) => {
          assert.equal(error, controller.signal.reason);
          ended.aborted++;
        });
        break;
      }
      case 1:
        await on.get(PASSWORD, { timeout: 0.5 }).then(done, (error) => {
          assert.ok(error instanceof TimeoutError, `${error}`);
          ended.late++;
        });
        break;
      default:
        done(await on.get(PASSWORD));
    }
  }

  function done(secret) {
    assert.ok(secret.reveal() === VALUE);
    ended.done++;
  }
}

test("thousands of handles are opened and closed", async (t) => {
  const times = full ? 10_000 : 300;
  const warm = Math.ceil(times / 10);
  for (let at = 0; at < warm; at++) await openAndClose(at);
  // Threads of a handle end a moment after it.
  await until(async () => (await settledThreads()) === 0);
  const held = await Vaultlet.open({ env });
  // Check that there are threads to count: otherwise this test could not fail.
  await until(async () => (await settledThreads()) > 0 || process.platform !== "linux");
  held.close();
  const before = await memory();
  for (let at = 0; at < times; at++) await openAndClose(at);
  const after = await memory();
  t.diagnostic(`${times} handles; MB before ${before}, after ${after}`);
  assert.ok(after - before < 32, `it grew from ${before} to ${after} MB`);
  await until(async () => (await settledThreads()) === 0);
});

async function openAndClose(at) {
  const on = await Vaultlet.open({ env, concurrency: 1 });
  if (at % 10 === 0) assert.ok((await on.get(PASSWORD)).reveal() === VALUE);
  if (at % 10 === 1) await failure(on.get(PASSWORD, { signal: AbortSignal.abort() }));
  // The garbage collector closes the handles that were not closed.
  if (at % 8 !== 0) on.close();
}

/** Resident memory in megabytes, after garbage collection. */
async function memory() {
  for (let times = 0; times < 5; times++) await collected();
  return Math.round(process.memoryUsage().rss / (1 << 20));
}

async function collected() {
  globalThis.gc();
  await new Promise(setImmediate);
}

async function settledThreads() {
  await collected();
  if (process.platform !== "linux") return 0;
  const names = readdirSync("/proc/self/task").map(nameOf);
  return names.filter((name) => name.startsWith("vaultlet")).length;
}

function nameOf(task) {
  try {
    return readFileSync(`/proc/self/task/${task}/comm`, "utf8");
  } catch {
    // It ended meanwhile.
    return "";
  }
}

/** Waits until the condition holds. If it never does, the test runner ends the test. */
async function until(holds) {
  while (!(await holds())) await new Promise(setImmediate);
}
