"use strict";

const { NotConfiguredError, Vaultlet } = require("./index.cjs");

/** vaultlet's identity for Microsoft's own SDKs: a `TokenCredential` of `@azure/core-auth`. */
class VaultletCredential {
  #vaultlet;

  constructor(of) {
    this.#vaultlet = of instanceof Vaultlet ? of : new Vaultlet(of);
  }

  async getToken(scopes, { abortSignal, tenantId, claims, requestOptions } = {}) {
    const scope = scopeOf(scopes);
    const token = await this.#vaultlet
      .token({
        resource: scope,
        tenant: tenantId,
        claims,
        signal: abortSignal,
        // Theirs is 0 for none.
        timeout: requestOptions?.timeout || undefined,
      })
      .catch(explain);
    const got = {
      token: token.reveal(),
      expiresOnTimestamp: token.expiresOn.getTime(),
      refreshAfterTimestamp: token.refreshOn.getTime(),
      tokenType: "Bearer",
    };
    token.dispose();
    return got;
  }
}

function scopeOf(scopes) {
  const all = Array.isArray(scopes) ? scopes : [scopes];
  if (all.length === 1 && typeof all[0] === "string") return all[0];
  throw new TypeError("a token is for one scope: give a string, or an array of one");
}

/** What `ChainedTokenCredential` of `@azure/identity` goes by to ask the next in its chain. */
function explain(error) {
  if (error instanceof NotConfiguredError) {
    Object.defineProperty(error, "name", { value: "CredentialUnavailableError" });
  }
  throw error;
}

module.exports = { VaultletCredential };
