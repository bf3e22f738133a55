"use strict";

const native = require("./native.cjs");

// What `util.inspect`, and so `console.log`, asks an object for.
const INSPECT = Symbol.for("nodejs.util.inspect.custom");
// Who may make these: us.
const OURS = Symbol("ours");

/** What is known of a held value besides itself, read once. */
let known;

/** A value that shows only by `reveal`; all else that makes a text of it gives its name. */
class Held {
  #held;
  #read;
  #known;

  static {
    known = (of) => (of.#known ??= of.#read(of.#held));
  }

  constructor(key, held, read) {
    if (key !== OURS) throw new TypeError("Illegal constructor");
    this.#held = held;
    this.#read = read;
  }

  reveal() {
    const value = native().reveal(this.#held);
    if (typeof value === "string") return value;
    throw new TypeError(`${this} was disposed of: its value is gone`);
  }

  dispose() {
    // It goes with the value.
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
members(Secret, PROPERTIES);

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
members(Token, IDENTITY);

function members(of, names) {
  for (const name of names) {
    const get = function () {
      return known(this)[name];
    };
    Object.defineProperty(of.prototype, name, { get, configurable: true });
  }
}

/** What the native half says of a secret, as JavaScript has it; what is not known is left out. */
function propertiesOf(of) {
  const version = of.version === undefined ? "" : `/${of.version}`;
  const properties = { reference: `akv://${of.vault}/${of.name}${version}` };
  for (const name of PROPERTIES) if (of[name] !== undefined) properties[name] = of[name];
  for (const name of ["created", "updated", "notBefore", "expires"]) {
    if (of[name] !== undefined) properties[name] = new Date(of[name] * 1000);
  }
  properties.tags = Object.freeze(Object.fromEntries(of.tags));
  return Object.freeze(properties);
}

function identityOf(of) {
  const identity = {};
  for (const name of IDENTITY) if (of[name] !== undefined) identity[name] = of[name];
  identity.expiresOn = new Date(of.expiresOn);
  identity.refreshOn = new Date(of.refreshOn);
  Object.freeze(identity.notes);
  return Object.freeze(identity);
}

const secretOf = (held) => new Secret(OURS, held);
const tokenOf = (held) => new Token(OURS, held);

module.exports = { propertiesOf, secretOf, tokenOf, public: { Secret, Token } };
