// node build.mjs PLUGIN.js WIT OUTPUT.wasm

import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const [sourcePath, witPath, output] = process.argv.slice(2);
// What a plugin does not get it must not import; what is not switched off here, it imports.
const disableFeatures = ['http', 'fetch-event'];
const { component } = await componentize({ sourcePath, witPath, worldName: 'plugin', disableFeatures });
await writeFile(output, component);
