"use strict";

const { Caller } = require("./lib/caller.cjs");
const errors = require("./lib/errors.cjs");
const native = require("./lib/native.cjs");
const { handleOptions } = require("./lib/options.cjs");
const values = require("./lib/values.cjs");

/** A handle with settings, a token cache and connections of its own. */
class Vaultlet {
  #caller;

  constructor(options) {
    const { onPrompt, ...settings } = handleOptions(options);
    this.#caller = new Caller(() => native().open(settings, onPrompt));
  }

  static async open(options) {
    const vaultlet = new Vaultlet(options);
    vaultlet.#caller.open();
    return vaultlet;
  }

  get(reference, options) {
    return this.#caller.get(reference, options);
  }

  getMany(references, options) {
    return this.#caller.getMany(references, options);
  }

  resolveEnvironment(options) {
    return this.#caller.resolveEnvironment(options);
  }

  list(vault, options) {
    return this.#caller.list(vault, options);
  }

  versions(reference, options) {
    return this.#caller.versions(reference, options);
  }

  token(options) {
    return this.#caller.token(options);
  }

  whoami(options) {
    return this.#caller.whoami(options);
  }

  plan(reference, options) {
    return this.#caller.plan(reference, options);
  }

  close() {
    this.#caller.close();
  }
}

if (Symbol.dispose) {
  Object.defineProperty(Vaultlet.prototype, Symbol.dispose, { value: Vaultlet.prototype.close });
}
if (Symbol.asyncDispose) {
  const value = async function () {
    this.close();
  };
  Object.defineProperty(Vaultlet.prototype, Symbol.asyncDispose, { value });
}

/** The handle that the functions of the package use. All threads of the process share it. */
const shared = new Caller(() => native().openShared());

module.exports = {
  Vaultlet,
  get: (reference, options) => shared.get(reference, options),
  getMany: (references, options) => shared.getMany(references, options),
  resolveEnvironment: (options) => shared.resolveEnvironment(options),
  list: (vault, options) => shared.list(vault, options),
  versions: (reference, options) => shared.versions(reference, options),
  token: (options) => shared.token(options),
  whoami: (options) => shared.whoami(options),
  plan: (reference, options) => shared.plan(reference, options),
  ...values.public,
  ...errors.public,
};
