"use strict";

const native = require("./native.cjs");

// The method that `util.inspect`, and so `console.log`, calls.
const INSPECT = Symbol.for("nodejs.util.inspect.custom");
// Only this module can construct held values.
const INTERNAL = Symbol("internal");

/** Everything that is known of a held value except the value, read once. */
let known;

/** The name of a held value, which says where it is from. */
let shown;

/** A value that only `reveal` shows. `inspect`, and so `console.log`, gives the object's name. Conversions, in which the
 * value would be meant, throw. */
class Held {
  #held;
  #read;
  #known;

  static {
    known = (object) => (object.#known ??= object.#read(object.#held));
    shown = (object) => (object instanceof Secret ? object.reference : `${object.resource} by ${object.source}`);
  }

  constructor(key, held, read) {
    if (key !== INTERNAL) throw new TypeError("Illegal constructor");
    this.#held = held;
    this.#read = read;
  }

  reveal() {
    const value = native().reveal(this.#held);
    if (typeof value === "string") return value;
    throw new TypeError(`${shown(this)} was disposed of: its value is gone`);
  }

  dispose() {
    // Reads the properties first, as they go with the value.
    known(this);
    native().dispose(this.#held);
  }

  toJSON() {
    throw new TypeError(`${shown(this)} is not for JSON; where its value is meant, use \`reveal()\``);
  }

  toString() {
    throw new TypeError(`${shown(this)} is no text; where its value is meant, use \`reveal()\``);
  }

  valueOf() {
    throw new TypeError(`${shown(this)} is no plain value; where its value is meant, use \`reveal()\``);
  }

  [Symbol.toPrimitive](hint) {
    return hint === "string" ? this.toString() : this.valueOf();
  }

  [INSPECT]() {
    return `${this.constructor.name}(${shown(this)})`;
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
