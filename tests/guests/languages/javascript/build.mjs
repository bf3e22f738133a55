// node build.mjs PLUGIN.js WIT OUTPUT.wasm
//
// package.json lists `preview2-shim`, because componentize-js needs it and does not declare it.

import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const [sourcePath, witPath, output] = process.argv.slice(2);
// A plugin must not import an interface that it is not given. componentize-js imports every feature that is
// not disabled here.
const disableFeatures = ['http', 'fetch-event'];
const { component } = await componentize({ sourcePath, witPath, worldName: 'plugin', disableFeatures });
await writeFile(output, component);
