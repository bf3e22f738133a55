"use strict";

/** A failed call. No member ever holds a token, a secret or a secret's value. */
class VaultletError extends Error {
  #detail;

  constructor(failure) {
    super(failure.line);
    this.#detail = failure.detail;
    this.code = failure.id;
    this.id = failure.id;
    this.kind = failure.kind;
    if (failure.help) this.help = failure.help;
    if (failure.status !== undefined) this.status = failure.status;
    if (failure.code !== undefined) this.serviceCode = failure.code;
    if (failure.requestId !== undefined) this.requestId = failure.requestId;
    if (failure.retryAfterMs !== undefined) this.retryAfterMs = failure.retryAfterMs;
    this.attempts = Object.freeze(failure.attempts.map(Object.freeze));
    if (failure.variables?.length) this.variables = Object.freeze(failure.variables.map(Object.freeze));
  }

  get detail() {
    return this.#detail;
  }
}

/** The class of each kind of error. */
const classes = {
  usage: class UsageError extends VaultletError {},
  "invalid-argument": class InvalidArgumentError extends VaultletError {},
  "not-found": class NotFoundError extends VaultletError {},
  disabled: class DisabledError extends VaultletError {},
  unavailable: class UnavailableError extends VaultletError {},
  timeout: class TimeoutError extends VaultletError {},
  internal: class InternalError extends VaultletError {},
  conflict: class ConflictError extends VaultletError {},
  throttled: class ThrottledError extends VaultletError {},
  denied: class DeniedError extends VaultletError {},
  configuration: class ConfigurationError extends VaultletError {},
  "not-configured": class NotConfiguredError extends VaultletError {},
  unauthenticated: class UnauthenticatedError extends VaultletError {},
};

for (const type of [VaultletError, ...Object.values(classes)]) {
  // On the prototype, as with built-in errors, so that it is not listed with an error's own members.
  Object.defineProperty(type.prototype, "name", {
    value: type.name,
    configurable: true,
    writable: true,
  });
}

/** Makes an error of a failure of the native half, or of this package's own. */
function errorOf(failure) {
  // A newer component may have further kinds.
  const type = classes[failure.kind] ?? VaultletError;
  return new type(failure);
}

/** Makes an error for a mistake of the caller that is not one of types. */
function usage(detail, help) {
  const line = `${detail}; ${help} (usage)`;
  return errorOf({ kind: "usage", id: "usage", line, detail, help, attempts: [] });
}

const named = Object.fromEntries(Object.values(classes).map((type) => [type.name, type]));
module.exports = { errorOf, usage, public: { VaultletError, ...named } };
