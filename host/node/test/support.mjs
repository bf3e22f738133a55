// Helpers of the tests: a local Azure, programs that run in it, and the scan for secrets.

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

// The program `vaultlet`, for the local Azure and for comparing errors.
export const program = process.env.VAULTLET_TEST_PROGRAM;
assert.ok(program, "`VAULTLET_TEST_PROGRAM` names the program `vaultlet`");

/** Runs `vaultlet dev` until the tests of the file have ended. */
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

/** The environment without variables that name an identity or a proxy. */
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

/** Runs source text as a module of this folder, in a process of its own. */
export async function runModule(text, env) {
  const file = moduleOf(text);
  const ended = await run(process.execPath, [file], env);
  rmSync(file);
  return ended;
}

/** Writes source text to a file of this folder. */
export function moduleOf(text) {
  const file = `${here}${process.pid}-${(files += 1)}.mjs`;
  writeFileSync(file, text);
  return file;
}

let files = 0;
export const here = fileURLToPath(new URL(".", import.meta.url));

/** An identity endpoint that accepts requests and never responds, and the environment that names it. */
export async function silentAzure() {
  const server = createServer(() => server.emit("asked"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  // Open requests would keep the tests alive.
  server.on("connection", (socket) => socket.unref());
  const endpoint = `http://127.0.0.1:${server.address().port}/MSI/auth`;
  return {
    env: { ...clean(), MSI_ENDPOINT: endpoint, MSI_SECRET: "a-secret-of-a-header" },
    asked: () => once(server, "asked"),
  };
}

/** Fails if a text contains the secret or a token. */
export function revealsNothing(...texts) {
  for (const text of texts) {
    // Not by `assert.match`, which would print what it found.
    assert.equal(typeof text, "string");
    assert.ok(!text.includes(VALUE), "a secret shows");
    assert.ok(!text.includes("eyJ"), "a token shows");
  }
}

/** The reason with which a promise rejects. */
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("the promise was not rejected");
}
