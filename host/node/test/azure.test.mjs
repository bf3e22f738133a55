// `VaultletCredential` with Microsoft's SDKs.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";
import { VaultletError, Vaultlet } from "vaultlet";
import { VaultletCredential } from "vaultlet/azure";
import { failure, localAzure, PASSWORD, revealsNothing, runModule, silentAzure, VALUE, VAULT } from "./support.mjs";

const azure = await localAzure();
const { env } = azure;
const SCOPE = "https://vault.azure.net/.default";

test("a token has the form that the SDKs expect", async () => {
  const credential = new VaultletCredential({ env });
  const got = await credential.getToken(SCOPE);
  assert.deepEqual(Object.keys(got), [
    "token",
    "expiresOnTimestamp",
    "refreshAfterTimestamp",
    "tokenType",
  ]);
  assert.equal(got.tokenType, "Bearer");
  assert.ok(got.expiresOnTimestamp > got.refreshAfterTimestamp);
  assert.ok(got.refreshAfterTimestamp > Date.now());
  assert.ok((await credential.getToken([SCOPE])).token === got.token);
  await assert.rejects(credential.getToken([]), TypeError);
  await assert.rejects(credential.getToken([SCOPE, SCOPE]), TypeError);
});

test("the SDKs' policy sends the token, and asks for it once", async () => {
  const seen = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const credential = new VaultletCredential(new Vaultlet({ env }));
  let asked = 0;
  const counted = { getToken: (...all) => (asked++, credential.getToken(...all)) };
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential: counted, scopes: SCOPE }));
  const client = createDefaultHttpClient();
  for (let i = 0; i < 3; i++) {
    const request = createPipelineRequest({
      url: `http://127.0.0.1:${server.address().port}/`,
      allowInsecureConnection: true,
    });
    // The policy insists on TLS; what is under test is whom it asks.
    request.url = request.url.replace("http:", "https:");
    const toServer = { sendRequest: (r) => ((r.url = r.url.replace("https:", "http:")), client.sendRequest(r)) };
    assert.equal((await pipeline.sendRequest(toServer, request)).status, 200);
  }
  server.close();
  assert.equal(asked, 1);
  assert.equal(seen.length, 3);
  const { token } = await credential.getToken(SCOPE);
  assert.ok(seen.every((header) => header === `Bearer ${token}`));
});

test("the SDK for secrets works with the credential in the local Azure", async () => {
  const text = `
    import { SecretClient } from "@azure/keyvault-secrets";
    import { VaultletCredential } from "vaultlet/azure";
    const client = new SecretClient("https://${VAULT}.vault.azure.net/", new VaultletCredential());
    const { value } = await client.getSecret("db-password");
    console.log(value.length);
    const names = [];
    for await (const { name } of client.listPropertiesOfSecrets()) names.push(name);
    console.log(names.sort().join());`;
  const before = await azure.counters();
  const ended = await runModule(text, env);
  assert.equal(ended.stdout, `${VALUE.length}\ndb,db-password\n`, ended.stderr);
  const counted = await azure.counters();
  assert.equal(counted.identity["azure-ml"] - (before.identity["azure-ml"] ?? 0), 1);
  revealsNothing(ended.stdout, ended.stderr);
});

test("a chain asks its next credential if no identity is configured", async () => {
  const { ChainedTokenCredential } = await import("@azure/identity");
  const none = new VaultletCredential({ env: {}, identity: "azureml-obo" });
  const error = await failure(none.getToken(SCOPE));
  assert.ok(error instanceof VaultletError);
  assert.equal(error.name, "CredentialUnavailableError");
  const chain = new ChainedTokenCredential(none, new VaultletCredential({ env }));
  assert.equal((await chain.getToken(SCOPE)).tokenType, "Bearer");
  const refused = { ...env, MSI_SECRET: "wrong" };
  const stops = new ChainedTokenCredential(
    new VaultletCredential({ env: refused }),
    new VaultletCredential({ env }),
  );
  assert.match((await failure(stops.getToken(SCOPE))).message, /\(identity-refused\)/);
});

test("signals, tenants and claims reach the call", async () => {
  const silent = await silentAzure();
  const credential = new VaultletCredential({ env: silent.env });
  const ended = new AbortController();
  const running = failure(credential.getToken(SCOPE, { abortSignal: ended.signal }));
  ended.abort();
  assert.equal((await running).name, "AbortError");
  const late = await failure(credential.getToken(SCOPE, { requestOptions: { timeout: 5 } }));
  assert.equal(late.id, "timeout");
  const there = new VaultletCredential({ env });
  const malformed = await failure(there.getToken(SCOPE, { claims: "{" }));
  assert.equal(malformed.id, "argument-malformed");
  const first = await there.getToken(SCOPE);
  const claims = JSON.stringify({ access_token: { nbf: { essential: true, value: "1" } } });
  const before = await azure.counters();
  assert.ok((await there.getToken(SCOPE, { claims })).token);
  const counted = await azure.counters();
  assert.equal(counted.identity["azure-ml"] - before.identity["azure-ml"], 1);
  assert.ok(first.token && PASSWORD);
});
