/// <reference lib="esnext.disposable" />

/** An `AbortSignal`, of Node.js or of Azure's SDKs. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: any;
  addEventListener(type: "abort", listener: (...args: any[]) => any, options?: any): void;
  removeEventListener(type: "abort", listener: (...args: any[]) => any, options?: any): void;
}

/** Names a user-assigned managed identity, in one of three ways. */
export interface UserAssigned {
  /** The identity's client id, a GUID. */
  clientId?: string | undefined;
  /** The identity's object (principal) id, a GUID. */
  objectId?: string | undefined;
  /** The identity's Azure resource id. */
  resourceId?: string | undefined;
}

/** Options of a call. */
export interface CallOptions extends UserAssigned {
  /** Cancels the call, which then rejects with the signal's reason. */
  signal?: AbortSignalLike | undefined;
  /** How long the call may take, in milliseconds, at most a day. Replaces the handle's timeout. */
  timeout?: number | undefined;
}

/** Options of a call that resolves the environment. */
export interface EnvironmentOptions extends CallOptions {
  /** Variables in place of those of the process, or of those that the handle was opened with. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Resolve these variables only, each of which must be there. */
  only?: string | readonly string[] | undefined;
}

/** Options of a call for a token. */
export interface TokenOptions extends CallOptions {
  /** The resource (`https://vault.azure.net`) or scope (`…/.default`). Default: Key Vault. */
  resource?: string | undefined;
  /** The tenant, for sources that have a choice. */
  tenant?: string | undefined;
  /** A claims challenge as JSON text. It bypasses the cache; the new token replaces the cached one. */
  claims?: string | undefined;
}

/** Options of a handle. An option that is not given is read from its variable, `VAULTLET_…`. */
export interface VaultletOptions extends UserAssigned {
  /** Sources of credentials, in order: `auto` (default), or the names that `--identity` takes. */
  identity?: string | readonly string[] | undefined;
  /** Sources to leave out. */
  exclude?: string | readonly string[] | undefined;
  /** Tenants that tokens may come from besides the configured one; `*` for all. */
  additionalTenants?: string | readonly string[] | undefined;
  /** The access token of the user on whose behalf the source `on-behalf-of` acts. */
  userAssertion?: string | undefined;
  /** A file with the user's access token, at most 64 KiB. It is read whenever the token is needed. */
  userAssertionFile?: string | undefined;
  /** The cloud of vaults that are given by name only. */
  cloud?: "public" | "china" | "usgov" | undefined;
  /** How many calls run at once, 1 to 1024, default 64. Further calls are queued. */
  concurrency?: number | undefined;
  /** How long a call may take, in milliseconds, at most a day. Default: 120,000. */
  timeout?: number | undefined;
  /** PEM files with certificates to trust in addition to the built-in roots. */
  caFile?: string | readonly string[] | undefined;
  /**
   * `HOST:PORT:ADDR[:PORT]`: connect to this address instead of the host's. The certificate is still
   * checked against the host name.
   */
  resolve?: string | readonly string[] | undefined;
  /** Accept vaults at plain `http://` on loopback, for tests. */
  allowHttpLoopback?: boolean | undefined;
  /** Hosts on a private network at which an identity endpoint may be plain `http://`. */
  allowHttpIdentity?: string | readonly string[] | undefined;
  /** The file of a policy, which says what may be read and where it is written down. */
  policy?: string | undefined;
  /** The agent that secrets come from: `unix:PATH` or `http://127.0.0.1:PORT`. An empty text means none. */
  agent?: string | undefined;
  /** The file with the token of an agent on a port. It is read whenever the token is needed. */
  agentTokenFile?: string | undefined;
  /** What is done when the agent is not there: `none` (default), an error; `direct`, the vault is asked. */
  agentFallback?: "none" | "direct" | undefined;
  /** Environment variables. They replace the process's whole environment. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Called with each line that a person must read, such as the code of the source `device-code`. */
  onPrompt?: ((line: string) => void) | undefined;
}

/** Everything that is known of one version of a secret except its value. Unknown fields are missing. */
export interface SecretProperties {
  /** `akv://VAULT/NAME/VERSION`. */
  readonly reference: string;
  /** The vault's host, with its port if it is not 443. */
  readonly vault: string;
  /** The secret's name. */
  readonly name: string;
  /** The version, 32 hexadecimal digits. */
  readonly version?: string;
  /** The content type that the secret's author set. */
  readonly contentType?: string;
  /** Whether the secret may be read. */
  readonly enabled?: boolean;
  /** When this version was created. */
  readonly created?: Date;
  /** When this version was last changed. */
  readonly updated?: Date;
  /** The secret is not meant to be used before this time; not enforced. */
  readonly notBefore?: Date;
  /** The secret is not meant to be used after this time; not enforced. */
  readonly expires?: Date;
  /** What deleting the secret would mean: `Recoverable+Purgeable`. */
  readonly recoveryLevel?: string;
  /** The number of days for which a deleted secret can be recovered. */
  readonly recoverableDays?: number;
  /** True when the secret belongs to a certificate. */
  readonly managed?: boolean;
  /** The key of the certificate that the secret belongs to. */
  readonly kid?: string;
  /** The secret's tags. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Where a token came from, and the identity that it belongs to, as the token says. */
export interface Identity {
  /** The source that the token came from: `managed-identity`. */
  readonly source: string;
  /** The form of the source, where it has several: `azure-ml`. */
  readonly endpoint?: string;
  /** The resource that the token is for. */
  readonly resource: string;
  /** The client id of the identity that was asked for, if one was named. */
  readonly clientId?: string;
  /** The tenant (Entra directory), a GUID. */
  readonly tenant?: string;
  /** The identity's object id in the tenant: the one to grant a role to. */
  readonly objectId?: string;
  /** The client id of the application that the token was issued to. */
  readonly appId?: string;
  /** The user's name, masked: `u…@contoso.com`. */
  readonly upn?: string;
  /** The audience that the token names. */
  readonly audience?: string;
  /** When the token expires. */
  readonly expiresOn: Date;
  /** When a new token is fetched. This one still works until it expires. */
  readonly refreshOn: Date;
  /** Remarks for people, one line each. */
  readonly notes: readonly string[];
}

/** A server that may be talked to. */
export interface Server {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly purpose: "vault" | "token-authority" | "identity-endpoint";
}

/** What the credentials would read and which servers they would talk to. */
export interface Plan {
  /** The agent that secrets come from. The rest is for what an agent does not do, and where it is passed over. */
  readonly agent?: string;
  /** The vault of the reference, if one was given. */
  readonly vault?: Server;
  /** Environment variables that decide which source is used, whether they are set or not. */
  readonly variables: readonly string[];
  /** Environment variables that hold a secret, name its file, or name the endpoint that it is for. */
  readonly secrets: readonly string[];
  /** Servers that the sources may ask, in the order of the chain. */
  readonly servers: readonly Server[];
  /** Files that may be read. A path with `*` means all files of a folder with that ending. */
  readonly files: readonly string[];
  /** Files with a key that may sign. */
  readonly keys: readonly string[];
  /** Programs that may be run. */
  readonly programs: readonly string[];
}

/**
 * A value that only `reveal()` shows. `console.log` and `util.inspect` show the name of the object instead;
 * templates, `String`, JSON and arithmetic throw. `structuredClone` and `postMessage` do not copy the value: send the secret's
 * reference.
 */
declare abstract class Held {
  private readonly held;
  /**
   * The value, as a string of JavaScript, which nobody can scrub. Throws a `TypeError` once it is
   * disposed of.
   */
  reveal(): string;
  /** Scrubs the value now, before this object is collected. The properties remain. */
  dispose(): void;
  [Symbol.dispose](): void;
  /** Throws: where the value is meant in a text, write `${secret.reveal()}`; in a log `secret.reference`. */
  toString(): never;
  /** Throws: JSON would lose or show the value. */
  toJSON(): never;
  /** Throws: to compare the value, write `secret.reveal() === …`. */
  valueOf(): never;
}

/** One version of one secret. */
export declare class Secret extends Held implements SecretProperties {
  private constructor();
  /** Everything that is known of the secret except its value, as a plain object. */
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
  /** Everything that is known of the token, as a plain object. */
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
 * A handle with settings, a token cache and connections of its own. Its first call opens it. A handle
 * does not keep the process alive; a running call does.
 *
 * Arguments of the wrong type throw a `TypeError` or `RangeError`. Every other failure is a
 * `VaultletError`, or the reason of the signal that cancelled the call.
 */
export declare class Vaultlet {
  constructor(options?: VaultletOptions);
  /** Opens the handle now, so that wrong settings fail here. No network. */
  static open(options?: VaultletOptions): Promise<Vaultlet>;
  /** Gets a secret. The first secret of a vault takes two requests, each further one takes one. */
  get(reference: string, options?: CallOptions): Promise<Secret>;
  /** Gets several secrets at once, in the order of the references: all, or the first error. */
  getMany(references: readonly string[], options?: CallOptions): Promise<Secret[]>;
  /**
   * Gets the secrets that environment variables refer to, by the names of the variables: all, or an error
   * whose `variables` says which ones failed. A variable is resolved when its whole value is a reference;
   * with `?optional` it is left out when there is no such secret, `?default=TEXT` gives a text in its
   * place. The environment is not changed.
   */
  resolveEnvironment(options?: EnvironmentOptions): Promise<Record<string, Secret>>;
  /**
   * Lists all secrets of a vault by name, disabled ones too, without values, with one request for each
   * 25 secrets. Items have no version; their other fields are those of the latest version. The vault is
   * a name, a host, or `akv://VAULT`.
   */
  list(vault: string, options?: CallOptions): Promise<SecretProperties[]>;
  /** Lists all versions of a secret, newest first, without values. The reference names no version. */
  versions(reference: string, options?: CallOptions): Promise<SecretProperties[]>;
  /** Gets an access token: from the cache, or with one request. */
  token(options?: TokenOptions): Promise<Token>;
  /** Tells which identity this machine's token belongs to, as `vaultlet whoami` does. */
  whoami(options?: TokenOptions): Promise<Identity>;
  /** Tells what the credentials would read and which servers they would talk to. No network. */
  plan(reference?: string, options?: CallOptions): Promise<Plan>;
  /** Closes the handle. Calls that are running go on; new calls fail. */
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
/** `Vaultlet.resolveEnvironment` on the shared handle. */
export declare function resolveEnvironment(
  options?: EnvironmentOptions,
): Promise<Record<string, Secret>>;
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

/** A variable whose reference could not be resolved. */
export interface FailedVariable {
  readonly name: string;
  readonly id: string;
  readonly kind: Kind;
  readonly message: string;
}

/** A failed call. `message` is the whole line that the command line prints. */
export declare class VaultletError extends Error {
  protected constructor();
  readonly kind: Kind;
  /** A stable name, which the table of errors explains: `vault-forbidden`. */
  readonly id: string;
  /** Equal to `id`. Node.js's own errors have their name here. */
  readonly code: string;
  /** What was being done and what happened. */
  readonly detail: string;
  /** What to do about the failure. */
  readonly help?: string;
  /** The HTTP status, if a server responded. */
  readonly status?: number;
  /** The service's own error code: `ForbiddenByRbac`. */
  readonly serviceCode?: string;
  /** The service's id of the request. */
  readonly requestId?: string;
  /** How long the service asked callers to wait before they try again. */
  readonly retryAfterMs?: number;
  /** One entry for each source that was asked, when no token could be obtained. */
  readonly attempts: readonly Attempt[];
  /** One entry for each variable that `resolveEnvironment` could not resolve; the rest is about the first. */
  readonly variables?: readonly FailedVariable[];
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
/** A server cannot be reached, or its response makes no sense: try again in minutes. */
export declare class UnavailableError extends VaultletError {
  readonly kind: "unavailable";
}
/** The time that was allowed has run out. */
export declare class TimeoutError extends VaultletError {
  readonly kind: "timeout";
}
/** A defect of vaultlet: report it with the message. */
export declare class InternalError extends VaultletError {
  readonly kind: "internal";
}
/** The secret's state forbids it now. */
export declare class ConflictError extends VaultletError {
  readonly kind: "conflict";
}
/** The service is throttling requests for longer than the call may take. */
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
/** An identity was found, and was refused. */
export declare class UnauthenticatedError extends VaultletError {
  readonly kind: "unauthenticated";
}
