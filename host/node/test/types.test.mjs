// The declarations, checked by the TypeScript compiler.

import assert from "node:assert/strict";
import { test } from "node:test";
import { here, run } from "./support.mjs";

for (const resolution of ["node16", "bundler", "node10"]) {
  test(`tsc accepts the declarations with module resolution ${resolution}`, async () => {
    const args = [`${here}node_modules/typescript/bin/tsc`, "--project", `${here}types`];
    if (resolution !== "node16") args.push("--moduleResolution", resolution, "--module", "preserve");
    const ended = await run(process.execPath, args, process.env);
    assert.deepEqual([ended.code, ended.stdout], [0, ""]);
  });
}
