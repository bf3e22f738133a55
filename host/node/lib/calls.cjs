"use strict";

const { errorOf } = require("./errors.cjs");
const native = require("./native.cjs");

/** The callbacks of running calls, by the call's number. */
const waiting = new Map();
let port;
let last = 0;

/**
 * Begins a call with the thread's port and a number, and waits for its result. When the signal is
 * aborted, the call ends at once with the signal's reason, as `fetch` does.
 */
async function call(signal, begin) {
  const settled = await settledCall(signal, begin);
  // The error is made here, so that its stack has the function that awaits the call.
  if (settled.error) throw errorOf(settled.error);
  return settled;
}

function settledCall(signal, begin) {
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

    function settle(settled) {
      forget?.();
      resolve(settled);
    }
    function abort() {
      forget();
      waiting.delete(id);
      native().cancel(port, id);
      reject(reasonOf(signal));
    }
  });
}

/** Called by the native half when results have arrived. */
function wake() {
  for (const settled of native().drain(port)) {
    const settle = waiting.get(settled.id);
    waiting.delete(settled.id);
    if (settle) settle(settled);
    else scrub(settled);
  }
}

/** Scrubs the values of a call that nobody waits for any more. */
function scrub({ held, many = [] }) {
  for (const value of held ? [held, ...many] : many) native().dispose(value);
}

/** One listener for each signal, as one signal may cancel very many calls. */
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
