// What `jco transpile COMPONENT -o FOLDER --name vaultlet` does: `transpile.js COMPONENT FOLDER`.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { transpile } from "@bytecodealliance/jco-transpile";

const [, , component, outDir] = process.argv;
const { files } = await transpile(component, { name: "vaultlet", outDir });
for (const [name, content] of Object.entries(files)) {
  await mkdir(dirname(name), { recursive: true });
  await writeFile(name, content);
}
