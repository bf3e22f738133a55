import type { AbortSignalLike, Vaultlet, VaultletOptions } from "./index.cjs";

/** As in `@azure/core-auth`. */
export interface AccessToken {
  /** The token itself, in plain text, as Azure's SDKs need it. */
  token: string;
  /** When the token expires, in milliseconds since 1970. */
  expiresOnTimestamp: number;
  /** When to fetch a new token, in milliseconds since 1970. */
  refreshAfterTimestamp: number;
  tokenType: "Bearer";
}

/** As in `@azure/core-auth`. */
export interface GetTokenOptions {
  abortSignal?: AbortSignalLike | undefined;
  requestOptions?: { timeout?: number | undefined } | undefined;
  claims?: string | undefined;
  tenantId?: string | undefined;
}

/**
 * A `TokenCredential` (`@azure/core-auth`) with vaultlet's identity, for Microsoft's SDKs. In a
 * `ChainedTokenCredential` of `@azure/identity`, the next credential is asked if no identity is
 * configured.
 */
export declare class VaultletCredential {
  /** Uses the given handle, or opens a handle with the given options. */
  constructor(handle?: Vaultlet | VaultletOptions);
  /** Gets a token for one scope (`https://vault.azure.net/.default`) or resource. */
  getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken>;
}
