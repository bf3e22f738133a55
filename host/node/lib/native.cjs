"use strict";

let native;

/** The native half. It is loaded on first use, so that importing the package costs nothing. */
module.exports = () => (native ??= load());

function load() {
  try {
    return require("../vaultlet.node");
  } catch (cause) {
    const here = `${process.platform} ${process.arch}, Node.js ${process.versions.node}`;
    throw new Error(`vaultlet: its native half cannot be loaded here (${here})`, { cause });
  }
}
