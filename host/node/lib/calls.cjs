"use strict";

const { errorOf } = require("./errors.cjs");
const native = require("./native.cjs");

/** Who waits for the outcome of which call. */
const waiting = new Map();
let port;
let last = 0;

/**
 * Begins a call with the thread's port and a number, and waits for what it is answered with. When
 * the signal is aborted it is over at once, with the signal's reason, as of `fetch`.
 */
async function call(signal, begin) {
  const outcome = await outcomeOf(signal, begin);
  // Made here, where the stack knows who awaits.
  if (outcome.error) throw errorOf(outcome.error);
  return outcome;
}

function outcomeOf(signal, begin) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(reasonOf(signal));
      return;
    }
    port ??= native().openPort(wake);
    const id = (last = (last + 1) >>> 0);
    begin(port, id);
    const forget = signal && whenAborted(signal, abort);
    waiting.set(id, settle);

    function settle(outcome) {
      forget?.();
      resolve(outcome);
    }
    function abort() {
      forget();
      waiting.delete(id);
      native().cancel(port, id);
      reject(reasonOf(signal));
    }
  });
}

/** Called by the native half when outcomes have come. */
function wake() {
  for (const outcome of native().drain(port)) {
    const settle = waiting.get(outcome.id);
    waiting.delete(outcome.id);
    if (settle) settle(outcome);
    else scrub(outcome);
  }
}

/** Nobody waits for it any more. */
function scrub({ held, many = [] }) {
  for (const value of held ? [held, ...many] : many) native().dispose(value);
}

/** Signals that calls wait with: one listener for each, as one signal may end very many calls. */
const watched = new WeakMap();

function whenAborted(signal, act) {
  let watch = watched.get(signal);
  if (!watch) {
    const acts = new Set();
    watch = { acts, listener: () => [...acts].forEach((act) => act()) };
    watched.set(signal, watch);
  }
  const { acts, listener } = watch;
  if (acts.size === 0) signal.addEventListener("abort", listener);
  acts.add(act);
  return () => {
    acts.delete(act);
    if (acts.size === 0) signal.removeEventListener("abort", listener);
  };
}

function reasonOf(signal) {
  return signal.reason ?? new DOMException("This operation was aborted", "AbortError");
}

module.exports = { call };
