"use strict";

const { call } = require("./calls.cjs");
const { errorOf, usage } = require("./errors.cjs");
const native = require("./native.cjs");
const { callOptions, environmentOptions, text, texts, tokenOptions } = require("./options.cjs");
const { propertiesOf, secretOf, tokenOf } = require("./values.cjs");

/** The operations of a handle, which the first call opens. */
class Caller {
  #open;
  #handle;
  #closed = false;

  constructor(open) {
    this.#open = open;
  }

  open() {
    if (this.#closed) throw usage("starting a call: this handle is closed", "open another");
    if (this.#handle) return;
    const opened = this.#open();
    // A handle is an external, which has no members. A failure has a kind.
    if (opened.kind !== undefined) throw errorOf(opened);
    this.#handle = opened;
  }

  close() {
    if (this.#handle) native().close(this.#handle);
    this.#handle = undefined;
    this.#closed = true;
  }

  async get(reference, options) {
    text(reference, "the reference");
    const { held } = await this.#call("get", callOptions(options), reference);
    return secretOf(held);
  }

  async getMany(references, options) {
    if (!Array.isArray(references)) throw new TypeError("the references must be an array");
    const checked = texts(references, "a reference");
    const { many } = await this.#call("getMany", callOptions(options), checked);
    return many.map(secretOf);
  }

  async resolveEnvironment(options) {
    const { env, only, ...call } = environmentOptions(options);
    const { names, many } = await this.#call("resolveEnvironment", call, { env, only });
    return Object.fromEntries(names.map((name, at) => [name, secretOf(many[at])]));
  }

  async list(vault, options) {
    text(vault, "the vault");
    const { listing } = await this.#call("list", callOptions(options), vault);
    return listing.map(propertiesOf);
  }

  async versions(reference, options) {
    text(reference, "the reference");
    const { listing } = await this.#call("versions", callOptions(options), reference);
    return listing.map(propertiesOf);
  }

  async token(options) {
    return tokenOf(await this.#token(options));
  }

  async whoami(options) {
    const token = tokenOf(await this.#token(options));
    token.dispose();
    return token.identity;
  }

  async plan(reference, options) {
    if (reference !== undefined) text(reference, "the reference");
    const { plan } = await this.#call("plan", callOptions(options), reference);
    return plan;
  }

  async #token(options) {
    const { resource, tenant, claims, ...call } = tokenOptions(options);
    const { held } = await this.#call("token", call, { resource, tenant, claims });
    return held;
  }

  #call(name, { signal, ...options }, argument) {
    return call(signal, (port, id) => {
      this.open();
      native()[name](port, this.#handle, id, options, argument);
    });
  }
}

module.exports = { Caller };
