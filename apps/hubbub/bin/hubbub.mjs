#!/usr/bin/env node
/** `npx hubbub …`: there before anything is built, so that npm can link it at install. */
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('hubbub: not built yet; run: npm run build\n');
  process.exitCode = 1;
}
