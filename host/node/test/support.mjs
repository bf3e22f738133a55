// What the tests share: a local Azure for each, programs run in it, and the scan that each ends with.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

export const VALUE = "correct horse battery staple";
export const VAULT = "my-key-vault";
export const PASSWORD = `akv://${VAULT}/db-password`;

// The program `vaultlet`, whose local Azure this is and whose errors ours are compared with.
export const program = process.env.VAULTLET_TEST_PROGRAM;
assert.ok(program, "`VAULTLET_TEST_PROGRAM` names the program `vaultlet`");

/** `vaultlet dev` until the file's tests have ended. */
export async function localAzure(...flags) {
  const seeds = [`db-password=${VALUE}`, 'db={"user":"ann","port":5432}'];
  const seed = seeds.flatMap((seed) => ["--seed", seed]);
  const dev = spawn(program, ["dev", "-o", "json", "--vault", VAULT, ...seed, ...flags], {
    env: clean(),
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(createInterface(dev.stdout), "line");
  after(() => dev.kill());
  const { control, env } = JSON.parse(line);
  const ask = async (path, body) => {
    const answer = await fetch(control + path, body && { method: "POST", body: JSON.stringify(body) });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return answer.status === 204 ? undefined : answer.json();
  };
  return {
    env: { ...clean(), ...env },
    counters: () => ask("/counters"),
    grant: (who, role, name) => ask("/grant", { who, role, name }),
  };
}

/** Our environment without what would name an identity or a proxy. */
function clean() {
  const { PATH, HOME, TMPDIR } = process.env;
  return Object.fromEntries(Object.entries({ PATH, HOME, TMPDIR }).filter(([, v]) => v));
}

/** Runs a program to its end: `{ code, signal, stdout, stderr }`. */
export function run(command, args, env) {
  return new Promise((resolve) => {
    execFile(command, args, { env, cwd: here }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, signal: error?.signal, stdout, stderr });
    });
  });
}

/** Runs a text as a module of this folder, in a process of its own. */
export async function runModule(text, env) {
  const file = moduleOf(text);
  const ended = await run(process.execPath, [file], env);
  rmSync(file);
  return ended;
}

/** A file of this folder with this text. */
export function moduleOf(text) {
  const file = `${here}${process.pid}-${(files += 1)}.mjs`;
  writeFileSync(file, text);
  return file;
}

let files = 0;
export const here = fileURLToPath(new URL(".", import.meta.url));

/** An identity endpoint that takes every request and answers none, and the environment of it. */
export async function silentAzure() {
  const server = createServer(() => server.emit("asked"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  // What was asked and never answered would else keep the tests alive.
  server.on("connection", (socket) => socket.unref());
  const endpoint = `http://127.0.0.1:${server.address().port}/MSI/auth`;
  return {
    env: { ...clean(), MSI_ENDPOINT: endpoint, MSI_SECRET: "a-secret-of-a-header" },
    asked: () => once(server, "asked"),
  };
}

/** Fails where a text has the secret or a token in it. */
export function revealsNothing(...texts) {
  for (const text of texts) {
    // Not by `assert.match`, which would print what it found.
    assert.equal(typeof text, "string");
    assert.ok(!text.includes(VALUE), "a secret shows");
    assert.ok(!text.includes("eyJ"), "a token shows");
  }
}

/** What a promise is rejected with. */
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("it did not fail");
}
