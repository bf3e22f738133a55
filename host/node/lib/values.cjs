"use strict";

const native = require("./native.cjs");

// The method that `util.inspect`, and so `console.log`, calls.
const INSPECT = Symbol.for("nodejs.util.inspect.custom");
// Only this module can construct held values.
const INTERNAL = Symbol("internal");

/** Everything that is known of a held value except the value, read once. */
let known;

/** A value that only `reveal` shows. Every other conversion to a string gives the object's name. */
class Held {
  #held;
  #read;
  #known;

  static {
    known = (object) => (object.#known ??= object.#read(object.#held));
  }

  constructor(key, held, read) {
    if (key !== INTERNAL) throw new TypeError("Illegal constructor");
    this.#held = held;
    this.#read = read;
  }

  reveal() {
    const value = native().reveal(this.#held);
    if (typeof value === "string") return value;
    throw new TypeError(`${this} was disposed of: its value is gone`);
  }

  dispose() {
    // Reads the properties first, as they go with the value.
    known(this);
    native().dispose(this.#held);
  }

  toJSON() {
    throw new TypeError(`${this} is not for JSON; where its value is meant, use \`reveal()\``);
  }

  valueOf() {
    throw new TypeError(`${this} is no plain value; where its value is meant, use \`reveal()\``);
  }

  [Symbol.toPrimitive](hint) {
    return hint === "string" ? this.toString() : this.valueOf();
  }

  [INSPECT]() {
    return `${this.constructor.name}(${this})`;
  }

  get [Symbol.toStringTag]() {
    return this.constructor.name;
  }
}

if (Symbol.dispose) {
  Object.defineProperty(Held.prototype, Symbol.dispose, { value: Held.prototype.dispose });
}

/** One version of one secret. */
class Secret extends Held {
  constructor(key, held) {
    super(key, held, (held) => propertiesOf(native().properties(held)));
  }

  get properties() {
    return known(this);
  }

  toString() {
    return this.reference;
  }
}

const PROPERTIES = [
  "reference",
  "vault",
  "name",
  "version",
  "contentType",
  "enabled",
  "created",
  "updated",
  "notBefore",
  "expires",
  "recoveryLevel",
  "recoverableDays",
  "managed",
  "kid",
  "tags",
];
defineGetters(Secret, PROPERTIES);

/** An access token. */
class Token extends Held {
  constructor(key, held) {
    super(key, held, (held) => identityOf(native().identity(held)));
  }

  get identity() {
    return known(this);
  }

  toString() {
    return `${this.resource} by ${this.source}`;
  }
}

const IDENTITY = [
  "source",
  "endpoint",
  "resource",
  "clientId",
  "tenant",
  "objectId",
  "appId",
  "upn",
  "audience",
  "expiresOn",
  "refreshOn",
  "notes",
];
defineGetters(Token, IDENTITY);

function defineGetters(type, names) {
  for (const name of names) {
    const get = function () {
      return known(this)[name];
    };
    Object.defineProperty(type.prototype, name, { get, configurable: true });
  }
}

/** Converts a record of the native half. Unknown fields are left out. */
function propertiesOf(record) {
  const version = record.version === undefined ? "" : `/${record.version}`;
  const properties = { reference: `akv://${record.vault}/${record.name}${version}` };
  for (const name of PROPERTIES) if (record[name] !== undefined) properties[name] = record[name];
  for (const name of ["created", "updated", "notBefore", "expires"]) {
    if (record[name] !== undefined) properties[name] = new Date(record[name] * 1000);
  }
  properties.tags = Object.freeze(Object.fromEntries(record.tags));
  return Object.freeze(properties);
}

function identityOf(record) {
  const identity = {};
  for (const name of IDENTITY) if (record[name] !== undefined) identity[name] = record[name];
  identity.expiresOn = new Date(record.expiresOn);
  identity.refreshOn = new Date(record.refreshOn);
  Object.freeze(identity.notes);
  return Object.freeze(identity);
}

const secretOf = (held) => new Secret(INTERNAL, held);
const tokenOf = (held) => new Token(INTERNAL, held);

module.exports = { propertiesOf, secretOf, tokenOf, public: { Secret, Token } };
