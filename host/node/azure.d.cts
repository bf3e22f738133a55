import type { AbortSignalLike, Vaultlet, VaultletOptions } from "./index.cjs";

/** As in `@azure/core-auth`. */
export interface AccessToken {
  /** The token itself, as Azure's SDKs want it. */
  token: string;
  /** Milliseconds since 1970. */
  expiresOnTimestamp: number;
  /** Milliseconds since 1970. */
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
 * vaultlet's identity for Microsoft's own SDKs: a `TokenCredential` of `@azure/core-auth`. In a
 * `ChainedTokenCredential` of `@azure/identity` it lets the next be asked where it finds none.
 */
export declare class VaultletCredential {
  /** On that handle, or on one of its own with these options. */
  constructor(of?: Vaultlet | VaultletOptions);
  /** A token for one scope (`https://vault.azure.net/.default`) or resource. */
  getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken>;
}
