// Makes the npm packages: `vaultlet`, which is JavaScript, and for each platform one with the addon, of which npm installs the
// one that fits. `node pack.mjs FOLDER [--notices FILE] PLATFORM=LIBRARY…` writes their tarballs to the folder and prints their
// paths, that of `vaultlet` first. A platform is linux-x64-gnu, linux-x64-musl, linux-arm64-gnu or linux-arm64-musl, and FILE has
// the licences of the addon's dependencies.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const usage = "node pack.mjs FOLDER [--notices FILE] PLATFORM=LIBRARY…";
const given = parseArgs({ allowPositionals: true, options: { notices: { type: "string" } } });
const [into, ...libraries] = given.positionals;
if (libraries.length === 0) throw new Error(`give a folder and a library: ${usage}`);
const { notices } = given.values;

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const root = join(here, "../..");
const manifest = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
manifest.version = version();
// What both kinds of package say of themselves.
const { description, license } = manifest;

const addons = libraries.map((library) => {
  const [, platform, file] = /^(linux-(?:x64|arm64)-(?:gnu|musl))=(.+)$/.exec(library) ?? [];
  if (!platform) throw new Error(`\`${library}\` is no PLATFORM=LIBRARY: ${usage}`);
  return { platform, file: resolve(file), name: `@vaultlet/${platform}` };
});

pack((folder) => {
  for (const name of ["lib", "README.md", ...programs()]) {
    cpSync(join(here, name), join(folder, name), { recursive: true });
  }
  const optional = addons.map(({ name }) => [name, manifest.version]);
  return { ...manifest, optionalDependencies: Object.fromEntries(optional) };
});
for (const { platform, file, name } of addons) {
  pack((folder) => {
    cpSync(file, join(folder, "vaultlet.node"));
    if (notices) cpSync(resolve(notices), join(folder, "THIRD-PARTY.txt"));
    const [os, cpu, libc] = platform.split("-");
    writeFileSync(join(folder, "README.md"), `# ${name}\n\nThe addon of \`vaultlet\` for ${platform}.\n`);
    return {
      name,
      version: manifest.version,
      description: `${description} (the addon for ${platform})`,
      license,
      main: "vaultlet.node",
      files: ["vaultlet.node", "THIRD-PARTY.txt"],
      engines: manifest.engines,
      os: [os],
      cpu: [cpu],
      libc: [libc === "gnu" ? "glibc" : libc],
    };
  });
}

/** Packs what a function writes to a folder, with the manifest that it returns. */
function pack(fill) {
  const folder = mkdtempSync(join(tmpdir(), "vaultlet-pack-"));
  try {
    const packed = fill(folder);
    cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
    writeFileSync(join(folder, "package.json"), `${JSON.stringify(packed, null, 2)}\n`);
    mkdirSync(into, { recursive: true });
    const npm = ["pack", "--silent", "--pack-destination", resolve(into)];
    const name = execFileSync("npm", npm, { cwd: folder, encoding: "utf8" }).trim();
    console.log(join(resolve(into), name));
  } finally {
    rmSync(folder, { recursive: true });
  }
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
