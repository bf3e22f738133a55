/// <reference lib="esnext.disposable" />

/** An `AbortSignal`, of Node.js or of Azure's SDKs. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: any;
  addEventListener(type: "abort", listener: (...args: any[]) => any, options?: any): void;
  removeEventListener(type: "abort", listener: (...args: any[]) => any, options?: any): void;
}

/** Which of several user-assigned managed identities: at most one of them. */
export interface UserAssigned {
  /** By client id, a GUID. */
  clientId?: string | undefined;
  /** By object (principal) id, a GUID. */
  objectId?: string | undefined;
  /** By Azure resource id. */
  resourceId?: string | undefined;
}

/** What one call may say besides. */
export interface CallOptions extends UserAssigned {
  /** Ends the call, which is then rejected with the signal's reason. */
  signal?: AbortSignalLike | undefined;
  /** Milliseconds that the call may take, at most a day; in place of the handle's. */
  timeout?: number | undefined;
}

/** What a token is asked for. */
export interface TokenOptions extends CallOptions {
  /** The resource (`https://vault.azure.net`) or scope (`…/.default`); Key Vault's unless given. */
  resource?: string | undefined;
  /** The tenant, where a source has a choice. */
  tenant?: string | undefined;
  /** A claims challenge as JSON text; it bypasses the cache and replaces what is in it. */
  claims?: string | undefined;
}

/** Settings of a handle. Each that is not given is read from its variable, `VAULTLET_…`. */
export interface VaultletOptions extends UserAssigned {
  /** Sources of credentials, in order: `auto` (default), or labels as of `--identity`. */
  identity?: string | readonly string[] | undefined;
  /** Sources to leave out. */
  exclude?: string | readonly string[] | undefined;
  /** Tenants that tokens may be asked of besides the configured one; `*` for all. */
  additionalTenants?: string | readonly string[] | undefined;
  /** The token of the user on whose behalf `on-behalf-of` asks. */
  userAssertion?: string | undefined;
  /** The file with that token, read anew whenever it is needed; at most 64 KiB. */
  userAssertionFile?: string | undefined;
  /** The cloud of vaults that are named without a domain. */
  cloud?: "public" | "china" | "usgov" | undefined;
  /** How many calls run at once, 1 to 1024; 64 unless set. More wait in line. */
  concurrency?: number | undefined;
  /** Milliseconds that one call may take, at most a day; 120,000 unless set. */
  timeout?: number | undefined;
  /** PEM files whose certificates are trusted besides the built-in roots. */
  caFile?: string | readonly string[] | undefined;
  /** `HOST:PORT:ADDR[:PORT]`: connect there for that authority; name and certificate check stay. */
  resolve?: string | readonly string[] | undefined;
  /** Accept plain `http://` vaults on loopback, for tests. */
  allowHttpLoopback?: boolean | undefined;
  /** Variables to read in place of the process's environment, all of it. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Is told what a person must be told, a line at a time: `device-code` has a code to enter. */
  onPrompt?: ((line: string) => void) | undefined;
}

/** What is known of one version of a secret besides its value; what is not known is not there. */
export interface SecretProperties {
  /** `akv://VAULT/NAME/VERSION`. */
  readonly reference: string;
  /** The vault's host, with its port if it is not 443. */
  readonly vault: string;
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly version?: string;
  readonly contentType?: string;
  /** Whether it may be read. */
  readonly enabled?: boolean;
  /** When this version was made. */
  readonly created?: Date;
  /** When it was last changed. */
  readonly updated?: Date;
  /** Not meant to be used before; not enforced. */
  readonly notBefore?: Date;
  /** Not meant to be used after; not enforced. */
  readonly expires?: Date;
  /** What deleting it would mean. */
  readonly recoveryLevel?: string;
  /** Days for which a deleted one can be recovered. */
  readonly recoverableDays?: number;
  /** True when it belongs to a certificate. */
  readonly managed?: boolean;
  /** The key of that certificate. */
  readonly kid?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** What is known of a token: where it came from, and whose it is by what it says of itself. */
export interface Identity {
  /** The source that gave it: `managed-identity`. */
  readonly source: string;
  /** Which form of the source: `azure-ml`. */
  readonly endpoint?: string;
  /** The resource that it is for. */
  readonly resource: string;
  /** The client id that was asked for, when one was. */
  readonly clientId?: string;
  /** The directory: a GUID. */
  readonly tenant?: string;
  /** The identity's object id in it: the one to grant a role to. */
  readonly objectId?: string;
  /** The application that asked. */
  readonly appId?: string;
  /** The user's name, masked: `u…@contoso.com`. */
  readonly upn?: string;
  /** Whom it is for. */
  readonly audience?: string;
  /** Not accepted after. */
  readonly expiresOn: Date;
  /** A new one is fetched from then on. */
  readonly refreshOn: Date;
  /** What is worth knowing besides, one line each. */
  readonly notes: readonly string[];
}

/** A server that may be talked to. */
export interface Server {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly purpose: "vault" | "token-authority" | "identity-endpoint";
}

/** What the credentials would read and whom they would talk to. */
export interface Plan {
  /** The vault of the reference that was asked about. */
  readonly vault?: Server;
  /** Variables that decide which source is used, whether set or not. */
  readonly variables: readonly string[];
  /** Servers that the sources may ask, in their order. */
  readonly servers: readonly Server[];
  /** Files that may be read; one with `*` is all of a folder with that ending. */
  readonly files: readonly string[];
  /** Files with a key that may sign. */
  readonly keys: readonly string[];
  /** Programs that may be run. */
  readonly programs: readonly string[];
}

/**
 * A value that shows only by `reveal()`. A text made of it otherwise, by a template or by
 * `console.log`, is its name; JSON and arithmetic throw. `structuredClone` and `postMessage` lose it:
 * send its reference.
 */
declare abstract class Held {
  private readonly held;
  /** The plaintext: a string of JavaScript, which nobody can scrub. `TypeError` once disposed of. */
  reveal(): string;
  /** Scrubs the value now, in place of when this is collected; the rest stays known. */
  dispose(): void;
  [Symbol.dispose](): void;
  toString(): string;
  /** Throws: JSON would lose or show the value. */
  toJSON(): never;
  /** Throws: a comparison with the value is meant to be `secret.reveal() === …`. */
  valueOf(): never;
}

/** One version of one secret. */
export declare class Secret extends Held implements SecretProperties {
  private constructor();
  /** All that is known of it, as a plain object. */
  readonly properties: SecretProperties;
  readonly reference: string;
  readonly vault: string;
  readonly name: string;
  readonly version?: string;
  readonly contentType?: string;
  readonly enabled?: boolean;
  readonly created?: Date;
  readonly updated?: Date;
  readonly notBefore?: Date;
  readonly expires?: Date;
  readonly recoveryLevel?: string;
  readonly recoverableDays?: number;
  readonly managed?: boolean;
  readonly kid?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** An access token. */
export declare class Token extends Held implements Identity {
  private constructor();
  /** All that is known of it, as a plain object. */
  readonly identity: Identity;
  readonly source: string;
  readonly endpoint?: string;
  readonly resource: string;
  readonly clientId?: string;
  readonly tenant?: string;
  readonly objectId?: string;
  readonly appId?: string;
  readonly upn?: string;
  readonly audience?: string;
  readonly expiresOn: Date;
  readonly refreshOn: Date;
  readonly notes: readonly string[];
}

/**
 * A handle with settings, a cache of tokens and connections of its own. It is opened by its first
 * call. It does not keep the process alive; a call does.
 *
 * Arguments of the wrong type are a `TypeError` or `RangeError`; all else that fails is a
 * `VaultletError`, or the reason of the signal that ended the call.
 */
export declare class Vaultlet {
  constructor(options?: VaultletOptions);
  /** Opens it now, so that settings that are wrong show here. No network. */
  static open(options?: VaultletOptions): Promise<Vaultlet>;
  /** Gets a secret: two requests for the first of a vault, one for each further one. */
  get(reference: string, options?: CallOptions): Promise<Secret>;
  /** Gets several at once, in their order: all of them, or the first error. */
  getMany(references: readonly string[], options?: CallOptions): Promise<Secret[]>;
  /**
   * The secrets of a vault, disabled ones too, by name: one request for each 25. No values, and no
   * versions; all else is that of the latest. The vault is a name or host, or `akv://VAULT`.
   */
  list(vault: string, options?: CallOptions): Promise<SecretProperties[]>;
  /** The versions of a secret, newest first; no values. The reference has neither. */
  versions(reference: string, options?: CallOptions): Promise<SecretProperties[]>;
  /** Gets a token. One request, unless the cache has it. */
  token(options?: TokenOptions): Promise<Token>;
  /** Whose token is had here, as `vaultlet whoami` says it: for a job that is denied. */
  whoami(options?: TokenOptions): Promise<Identity>;
  /** What the credentials would read and whom they would talk to. No network. */
  plan(reference?: string, options?: CallOptions): Promise<Plan>;
  /** No further call begins; those that run go on. */
  close(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `Vaultlet.get` on the handle that all threads of the process share. */
export declare function get(reference: string, options?: CallOptions): Promise<Secret>;
/** `Vaultlet.getMany` on the shared handle. */
export declare function getMany(
  references: readonly string[],
  options?: CallOptions,
): Promise<Secret[]>;
/** `Vaultlet.list` on the shared handle. */
export declare function list(vault: string, options?: CallOptions): Promise<SecretProperties[]>;
/** `Vaultlet.versions` on the shared handle. */
export declare function versions(
  reference: string,
  options?: CallOptions,
): Promise<SecretProperties[]>;
/** `Vaultlet.token` on the shared handle. */
export declare function token(options?: TokenOptions): Promise<Token>;
/** `Vaultlet.whoami` on the shared handle. */
export declare function whoami(options?: TokenOptions): Promise<Identity>;
/** `Vaultlet.plan` on the shared handle. */
export declare function plan(reference?: string, options?: CallOptions): Promise<Plan>;

/** What a caller should do next. */
export type Kind =
  | "usage"
  | "invalid-argument"
  | "not-found"
  | "disabled"
  | "unavailable"
  | "timeout"
  | "internal"
  | "conflict"
  | "throttled"
  | "denied"
  | "configuration"
  | "not-configured"
  | "unauthenticated";

/** One source of credentials that was asked. */
export interface Attempt {
  readonly source: string;
  readonly endpoint?: string;
  readonly outcome: "not-configured" | "failed" | "skipped";
  readonly message: string;
}

/** A failed call. `message` is the whole line as the command line prints it. */
export declare class VaultletError extends Error {
  protected constructor();
  readonly kind: Kind;
  /** Stable: `vault-forbidden`; the README of vaultlet has them all. */
  readonly id: string;
  /** The same as `id`, where Node.js has it. */
  readonly code: string;
  /** What was being done and what happened. */
  readonly detail: string;
  /** What to do about it. */
  readonly help?: string;
  /** The HTTP status, when a server answered. */
  readonly status?: number;
  /** The service's own code: `ForbiddenByRbac`. */
  readonly serviceCode?: string;
  /** The service's id of the request. */
  readonly requestId?: string;
  /** How long the service asked to be left alone. */
  readonly retryAfterMs?: number;
  /** One for each source that was asked, whenever no token was had. */
  readonly attempts: readonly Attempt[];
}

/** The arguments contradict each other, or the handle is closed: correct the program. */
export declare class UsageError extends VaultletError {
  readonly kind: "usage";
}
/** A malformed reference, name or pointer: correct the reference. */
export declare class InvalidArgumentError extends VaultletError {
  readonly kind: "invalid-argument";
}
/** There is no such secret or version. */
export declare class NotFoundError extends VaultletError {
  readonly kind: "not-found";
}
/** The secret is disabled. */
export declare class DisabledError extends VaultletError {
  readonly kind: "disabled";
}
/** A server cannot be reached or answers nonsense: try again in minutes. */
export declare class UnavailableError extends VaultletError {
  readonly kind: "unavailable";
}
/** The time that was allowed has run out. */
export declare class TimeoutError extends VaultletError {
  readonly kind: "timeout";
}
/** A defect of vaultlet. */
export declare class InternalError extends VaultletError {
  readonly kind: "internal";
}
/** The secret's state forbids it now. */
export declare class ConflictError extends VaultletError {
  readonly kind: "conflict";
}
/** The service asked for more patience than the call has. */
export declare class ThrottledError extends VaultletError {
  readonly kind: "throttled";
}
/** The identity may not do this: grant it a role. */
export declare class DeniedError extends VaultletError {
  readonly kind: "denied";
}
/** Settings contradict each other, or a security check refused. */
export declare class ConfigurationError extends VaultletError {
  readonly kind: "configuration";
}
/** No source of credentials is configured here. */
export declare class NotConfiguredError extends VaultletError {
  readonly kind: "not-configured";
}
/** An identity was found and refused. */
export declare class UnauthenticatedError extends VaultletError {
  readonly kind: "unauthenticated";
}
