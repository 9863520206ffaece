/** Finds the files of an example that are not code: its page and its hub.yaml. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of an example's file, for code that runs from dist as well as from the sources. @throws {Error} */
export function exampleFile(name: string, file: string): string {
  for (const up of ['../', '../../']) {
    const path = fileURLToPath(new URL(`${up}${name}/${file}`, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new Error(`The example ${name} has no ${file}.`);
}
