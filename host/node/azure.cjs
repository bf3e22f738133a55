"use strict";

const { NotConfiguredError, Vaultlet } = require("./index.cjs");

/** A `TokenCredential` (`@azure/core-auth`) with vaultlet's identity, for Microsoft's SDKs. */
class VaultletCredential {
  #vaultlet;

  constructor(handle) {
    this.#vaultlet = handle instanceof Vaultlet ? handle : new Vaultlet(handle);
  }

  async getToken(scopes, { abortSignal, tenantId, claims, requestOptions } = {}) {
    const scope = scopeOf(scopes);
    const token = await this.#vaultlet
      .token({
        resource: scope,
        tenant: tenantId,
        claims,
        signal: abortSignal,
        // In Azure's SDKs 0 means no timeout.
        timeout: requestOptions?.timeout || undefined,
      })
      .catch(renameAndThrow);
    const accessToken = {
      token: token.reveal(),
      expiresOnTimestamp: token.expiresOn.getTime(),
      refreshAfterTimestamp: token.refreshOn.getTime(),
      tokenType: "Bearer",
    };
    token.dispose();
    return accessToken;
  }
}

function scopeOf(scopes) {
  const all = Array.isArray(scopes) ? scopes : [scopes];
  if (all.length === 1 && typeof all[0] === "string") return all[0];
  throw new TypeError("a token is for one scope: give a string, or an array of one");
}

/** `ChainedTokenCredential` of `@azure/identity` asks its next credential after an error of this name. */
function renameAndThrow(error) {
  if (error instanceof NotConfiguredError) {
    Object.defineProperty(error, "name", { value: "CredentialUnavailableError" });
  }
  throw error;
}

module.exports = { VaultletCredential };
