"use strict";

let native;

/** The native half. It is loaded on first use, so that importing the package costs nothing. */
module.exports = () => (native ??= load());

function load() {
  const { platform, arch, versions } = process;
  const here = `${platform} ${arch}, Node.js ${versions.node}`;
  const names = ["gnu", "musl"].map((libc) => `@vaultlet/${platform}-${arch}-${libc}`);
  const there = platform === "linux" ? names.filter(installed) : [];
  if (there.length === 0) {
    const wanted = platform === "linux" ? names[isMusl() ? 1 : 0] : undefined;
    const help = wanted
      ? `install ${wanted}, an optional dependency that npm leaves out with --omit=optional or a lock file made elsewhere`
      : "it is for Linux";
    throw new Error(`vaultlet: its native half is not here (${here}); ${help}`);
  }
  // As a rule npm has installed the one that fits, and nothing needs to be asked.
  const name = there.length > 1 ? names[isMusl() ? 1 : 0] : there[0];
  try {
    return require(name);
  } catch (cause) {
    const libc = isMusl() ? "musl" : "glibc";
    throw new Error(`vaultlet: its native half, ${name}, cannot be loaded here (${here}, ${libc}): ${cause.message}`, { cause });
  }
}

function installed(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Whether this Node.js is one for musl: takes milliseconds. */
function isMusl() {
  const { report } = process;
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  const { header } = report.getReport();
  report.excludeNetwork = before;
  return header.glibcVersionRuntime === undefined;
}
