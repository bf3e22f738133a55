"use strict";

// The longest timeout of a call, in milliseconds: a day.
const TIMEOUT_MAX = 86_400_000;
const CONCURRENCY_MAX = 1024;

const CALL = {
  signal,
  timeout,
  clientId: text,
  objectId: text,
  resourceId: text,
};
const TOKEN = { ...CALL, resource: text, tenant: text, claims: text };
const ENVIRONMENT = { ...CALL, env: variables, only: texts };
const HANDLE = {
  identity: list(","),
  exclude: list(","),
  clientId: text,
  objectId: text,
  resourceId: text,
  additionalTenants: list(";"),
  userAssertion: text,
  userAssertionFile: text,
  cloud: text,
  concurrency,
  timeout,
  caFile: texts,
  resolve: texts,
  allowHttpLoopback: boolean,
  allowHttpIdentity: list(","),
  policy: text,
  agent: text,
  agentTokenFile: text,
  agentFallback: text,
  env: variables,
  onPrompt: callback,
};

/** Checks the options of a handle. */
const handleOptions = (options) => atMostOneIdentity(checked(options, HANDLE));
/** Checks the options of a call. */
const callOptions = (options) => atMostOneIdentity(checked(options, CALL));
/** Checks the options of a call for a token. */
const tokenOptions = (options) => atMostOneIdentity(checked(options, TOKEN));

/** Checks the options of a call that resolves the environment. */
const environmentOptions = (options) => atMostOneIdentity(checked(options, ENVIRONMENT));

/** The options that are set, each checked. An unknown name is an error, as it may be a typo. */
function checked(options, known) {
  const set = {};
  if (options === undefined) return set;
  if (options === null || typeof options !== "object") {
    throw new TypeError(`the options must be an object, not ${kind(options)}`);
  }
  const stray = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (stray !== undefined) {
    const names = Object.keys(known).join(", ");
    throw new TypeError(`there is no option \`${stray}\`; there are ${names}`);
  }
  for (const [name, check] of Object.entries(known)) {
    const value = options[name];
    if (value !== undefined) set[name] = check(value, `option \`${name}\``);
  }
  return set;
}

function atMostOneIdentity(options) {
  const ids = ["clientId", "objectId", "resourceId"].filter((id) => options[id] !== undefined);
  if (ids.length > 1) {
    throw new TypeError(`at most one of the options \`${ids.join("` and `")}\` may be given`);
  }
  return options;
}

function text(value, what) {
  if (typeof value === "string") return value;
  throw new TypeError(`${what} must be a string, not ${kind(value)}`);
}

function texts(value, what) {
  return (Array.isArray(value) ? value : [value]).map((item) => text(item, what));
}

function list(separator) {
  return (value, what) => texts(value, what).join(separator);
}

function boolean(value, what) {
  if (typeof value === "boolean") return value;
  throw new TypeError(`${what} must be true or false, not ${kind(value)}`);
}

function callback(value, what) {
  if (typeof value === "function") return value;
  throw new TypeError(`${what} must be a function, not ${kind(value)}`);
}

function number(value, what) {
  if (typeof value === "number") return value;
  throw new TypeError(`${what} must be a number, not ${kind(value)}`);
}

function timeout(value, what) {
  if (number(value, what) > 0 && value <= TIMEOUT_MAX) return value;
  throw new RangeError(`${what} must be milliseconds above 0, at most ${TIMEOUT_MAX}`);
}

function concurrency(value, what) {
  if (Number.isInteger(number(value, what)) && value > 0 && value <= CONCURRENCY_MAX) return value;
  throw new RangeError(`${what} must be an integer from 1 to ${CONCURRENCY_MAX}`);
}

function signal(value, what) {
  if (typeof value?.aborted === "boolean" && typeof value.addEventListener === "function") {
    return value;
  }
  throw new TypeError(`${what} must be an AbortSignal, not ${kind(value)}`);
}

/** Environment variables: `process.env` or an object like it. */
function variables(value, what) {
  if (value === null || typeof value !== "object") {
    throw new TypeError(`${what} must be an object of variables, not ${kind(value)}`);
  }
  const set = Object.entries(value).filter(([, variable]) => variable !== undefined);
  return Object.fromEntries(set.map(([name, v]) => [name, text(v, `variable \`${name}\``)]));
}

/** The type of a value, for messages. Never the value itself, which may be a misplaced secret. */
function kind(value) {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}

module.exports = { callOptions, environmentOptions, handleOptions, text, texts, tokenOptions };
