/** `npm run pack`: builds, and packs every package that is not private into `tarballs/`, or into the folder of `-- --to`. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { readOptions } from './prepare/arguments.mjs';
import { at } from './prepare/files.mjs';
import { say } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';
import { packPackages } from './release/packages.mjs';

const { to } = readOptions('npm run pack --', { to: { type: 'string', default: at('tarballs') } });
const folder = resolve(to);
await prepare();
mkdirSync(folder, { recursive: true });
for (const { filename } of packPackages(['--pack-destination', folder])) say(`${folder}/${filename}`);
