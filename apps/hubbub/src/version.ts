/** The version of this package, as its package.json states it. */
import { readFileSync } from 'node:fs';

const MANIFEST = new URL('../package.json', import.meta.url);

export function readVersion(): string {
  return (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string }).version;
}
