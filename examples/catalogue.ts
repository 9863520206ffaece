/** The examples there are, by name. */
import type { Example } from './service/example.js';

export const EXAMPLES: readonly Example[] = [];

/** @throws {Error} naming those there are. */
export function findExample(name: string | undefined): Example {
  const example = EXAMPLES.find(candidate => candidate.name === name);
  if (example !== undefined) return example;
  throw new Error(
    `There is no example ${name ?? '(none named)'}; there are: ${EXAMPLES.map(each => each.name).join(', ')}`,
  );
}
