// Makes the npm package from a built library. `node pack.mjs LIBRARY FOLDER [NOTICES]` writes
// `vaultlet-VERSION.tgz` to the folder and prints its path. NOTICES is a file with the licences of the
// library's dependencies.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [library, into, notices] = process.argv.slice(2);
if (!into) throw new Error("give a library and a folder: node pack.mjs LIBRARY FOLDER [NOTICES]");

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const root = join(here, "../..");
const folder = mkdtempSync(join(tmpdir(), "vaultlet-pack-"));
try {
  const manifest = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  for (const name of ["lib", "README.md", ...programs()]) {
    cpSync(join(here, name), join(folder, name), { recursive: true });
  }
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  if (notices) cpSync(resolve(notices), join(folder, "THIRD-PARTY.txt"));
  cpSync(resolve(library), join(folder, "vaultlet.node"));
  const packed = { ...manifest, version: version(), ...platform() };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(packed, null, 2)}\n`);
  mkdirSync(into, { recursive: true });
  const npm = ["pack", "--silent", "--pack-destination", resolve(into)];
  const name = execFileSync("npm", npm, { cwd: folder, encoding: "utf8" }).trim();
  console.log(join(resolve(into), name));
} finally {
  rmSync(folder, { recursive: true });
}

function programs() {
  const names = ["index", "azure"];
  return names.flatMap((name) => ["cjs", "mjs", "d.cts", "d.mts"].map((end) => `${name}.${end}`));
}

/** The version of the workspace, the only place that has it. */
function version() {
  const section = readFileSync(join(root, "Cargo.toml"), "utf8").split("[workspace.package]")[1];
  const found = /^version = "([^"]+)"$/m.exec(section ?? "");
  if (!found) throw new Error("Cargo.toml: there is no version in [workspace.package]");
  return found[1];
}

/** The fields that restrict the package to the platform of the library, which is this one. */
function platform() {
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  const libc = process.platform === "linux" ? { libc: [glibc ? "glibc" : "musl"] } : {};
  return { os: [process.platform], cpu: [process.arch], ...libc };
}
