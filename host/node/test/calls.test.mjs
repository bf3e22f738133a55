// Calls in a local Azure, by its managed identity and on behalf of its user.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inspect } from "node:util";
import vaultlet, { Secret, Token, Vaultlet, VaultletError } from "vaultlet";
import { failure, localAzure, PASSWORD, revealsNothing, runModule, VALUE, VAULT } from "./support.mjs";

const azure = await localAzure();
const { env } = azure;

test("a secret and its properties", async () => {
  const on = await Vaultlet.open({ env });
  const secret = await on.get(PASSWORD);
  assert.ok(secret instanceof Secret);
  assert.ok(secret.reveal() === VALUE);
  assert.equal(secret.vault, `${VAULT}.vault.azure.net`);
  assert.equal(secret.name, "db-password");
  assert.match(secret.version, /^[0-9a-f]{32}$/);
  assert.equal(secret.reference, `akv://${secret.vault}/db-password/${secret.version}`);
  assert.equal(secret.enabled, true);
  assert.ok(secret.created instanceof Date && secret.updated instanceof Date);
  assert.ok(Math.abs(Date.now() - secret.created.getTime()) < 3_600_000);
  assert.equal(secret.notBefore, undefined);
  assert.ok(!("notBefore" in secret.properties));
  assert.deepEqual(secret.tags, {});
  assert.equal((await on.get(secret.reference)).version, secret.version);
});

test("two requests for the first secret, one for each further secret", async () => {
  const on = new Vaultlet({ env });
  const before = await azure.counters();
  for (let i = 0; i < 5; i++) await on.get(PASSWORD);
  const counted = await azure.counters();
  const tokens = ({ identity }) => identity["azure-ml"] ?? 0;
  assert.equal(tokens(counted) - tokens(before), 1);
  on.close();
});

test("getMany returns all secrets in order, or none", async () => {
  const on = new Vaultlet({ env });
  const references = [`akv://${VAULT}/db?json=/user`, PASSWORD, `akv://${VAULT}/db?json=/port`];
  const values = (await on.getMany(references)).map((secret) => secret.reveal());
  assert.ok(values[0] === "ann" && values[1] === VALUE && values[2] === "5432");
  assert.deepEqual(await on.getMany([]), []);
  const error = await failure(on.getMany([PASSWORD, `akv://${VAULT}/other`]));
  assert.equal(error.id, "secret-not-found");
});

test("the secrets of a vault and the versions of a secret", async () => {
  const on = new Vaultlet({ env });
  const listed = await on.list(VAULT);
  assert.deepEqual(listed.map(({ name }) => name), ["db", "db-password"]);
  assert.ok(listed.every(({ created, version }) => created instanceof Date && !version));
  assert.equal(listed[1].reference, `akv://${VAULT}.vault.azure.net/db-password`);
  assert.ok(Object.isFrozen(listed[0]) && listed[0].enabled);
  const versions = await on.versions(PASSWORD);
  assert.equal(versions.length, 1);
  assert.equal(versions[0].version, (await on.get(versions[0].reference)).version);
  assert.deepEqual(await on.list(`akv://${VAULT}`), listed);
  assert.equal((await failure(on.versions(`akv://${VAULT}/other`))).id, "secret-not-found");
  assert.equal((await failure(on.list("a_b"))).kind, "invalid-argument");
  revealsNothing(JSON.stringify(listed), JSON.stringify(versions));
});

test("a token and its identity", async () => {
  const on = new Vaultlet({ env });
  const token = await on.token({ resource: "https://storage.azure.com/.default" });
  assert.ok(token instanceof Token);
  assert.ok(token.reveal().startsWith("ey"));
  assert.equal(token.resource, "https://storage.azure.com");
  assert.deepEqual([token.source, token.endpoint], ["managed-identity", "azure-ml"]);
  assert.ok(token.expiresOn > token.refreshOn && token.refreshOn > new Date());
  const identity = await on.whoami();
  assert.equal(identity.objectId, token.objectId);
  assert.equal(identity.tenant, token.tenant);
  assert.match(identity.resource, /^https:\/\/vault\.azure\.net/);
  revealsNothing(JSON.stringify(identity), inspect(token), JSON.stringify(token.identity));
});

test("a plan, without any request", async () => {
  const on = new Vaultlet({ env });
  const before = await azure.counters();
  const plan = await on.plan(PASSWORD);
  assert.deepEqual(plan.vault, {
    host: `${VAULT}.vault.azure.net`,
    port: 443,
    tls: true,
    purpose: "vault",
  });
  assert.ok(plan.variables.includes("MSI_ENDPOINT"));
  assert.ok(plan.secrets.includes("MSI_SECRET") && !plan.secrets.includes("AZURE_CLIENT_ID"));
  assert.ok(plan.servers.some((server) => server.purpose === "identity-endpoint"));
  assert.equal((await on.plan()).vault, undefined);
  assert.deepEqual(await azure.counters(), before);
});

test("on behalf of the user", async () => {
  const user = await localAzure("--as", "user");
  const on = new Vaultlet({ env: user.env });
  assert.ok((await on.get(PASSWORD)).reveal() === VALUE);
  const identity = await on.whoami();
  assert.deepEqual([identity.source, identity.endpoint], ["azureml-obo", "job"]);
  assert.match(identity.upn, /^.…@/);
});

test("a user-assigned identity, for the handle and for a call", async () => {
  const clientId = env.DEFAULT_IDENTITY_CLIENT_ID;
  const on = new Vaultlet({ env, clientId });
  assert.equal((await on.token()).clientId, clientId);
  const other = await failure(on.get(PASSWORD, { clientId: "00000000-0000-4000-8000-000000000000" }));
  assert.equal(other.kind, "unauthenticated");
});

test("onPrompt gets the code that a person must enter", async () => {
  const device = await localAzure("--identity-form", "device-code");
  const lines = [];
  const ended = new AbortController();
  const on = new Vaultlet({
    env: device.env,
    identity: "device-code",
    onPrompt: (line) => {
      lines.push(line);
      ended.abort();
    },
  });
  const error = await failure(on.get(PASSWORD, { signal: ended.signal }));
  assert.equal(error.name, "AbortError");
  assert.match(lines.join("\n"), /[A-Z]{9}/);
  const untold = await failure(new Vaultlet({ env: device.env, identity: "device-code" }).token());
  assert.equal(untold.id, "terminal-required");
});

test("the functions of the package use the process's own environment", async () => {
  const text = `
    import { get, getMany, list, plan, token, versions, whoami } from "vaultlet";
    const [secret] = await getMany(["${PASSWORD}"]);
    const same = await get(secret.reference);
    const of = [secret.reveal() === same.reveal(), (await token()).source, (await whoami()).source];
    of.push((await list("${VAULT}")).length, (await versions("${PASSWORD}")).length);
    console.log(JSON.stringify([...of, (await plan("${PASSWORD}")).vault.host]));`;
  const ended = await runModule(text, env);
  assert.equal(ended.code, 0, ended.stderr);
  const source = "managed-identity";
  assert.deepEqual(JSON.parse(ended.stdout), [true, source, source, 2, 1, `${VAULT}.vault.azure.net`]);
  revealsNothing(ended.stdout, ended.stderr);
});

test("import and require give the same objects", () => {
  const required = createRequire(import.meta.url)("vaultlet");
  assert.equal(required, vaultlet);
  assert.equal(required.VaultletError, VaultletError);
});

test("importing loads nothing native; the first call does", async () => {
  const text = `
    const loaded = () =>
      process.report.getReport().sharedObjects.some((name) => name.endsWith("vaultlet.node"));
    const { get, Vaultlet } = await import("vaultlet");
    const before = [loaded(), (new Vaultlet(), loaded())];
    await get("${PASSWORD}");
    console.log(JSON.stringify([...before, loaded()]));`;
  const ended = await runModule(text, env);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(JSON.parse(ended.stdout), [false, false, true]);
});

test("a closed handle refuses calls; running calls go on", async () => {
  const on = new Vaultlet({ env });
  const running = on.get(PASSWORD);
  on.close();
  on.close();
  assert.ok((await running).reveal() === VALUE);
  const error = await failure(on.get(PASSWORD));
  assert.deepEqual([error.name, error.id], ["UsageError", "usage"]);
  if (Symbol.asyncDispose) await new Vaultlet({ env })[Symbol.asyncDispose]();
  if (Symbol.dispose) new Vaultlet({ env })[Symbol.dispose]();
});
