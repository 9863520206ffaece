/** The values that a payload may hold: one table for both encodings and both SDKs (PROTOCOL.md section 2.3). */
import { isWellFormed } from './text.js';

/** Below the 100 levels at which the MessagePack encoder gives up; reached by what contains itself, too. */
const MAX_DEPTH = 64;

/**
 * Describes the value that cannot be sent, by its path, and why: `payload.items[3].when: Map cannot be sent; …`.
 * Encoders would write such a value as something else, JSON and MessagePack differently. `undefined`: nothing is wrong.
 *
 * @param name the beginning of the path
 */
export function valueProblem(value: unknown, name: string): string | undefined {
  const problem = problemOf(value, 0);
  return problem && `${name}${problem}`;
}

/** The rest of the path, and what is wrong there. */
function problemOf(value: unknown, depth: number): string | undefined {
  if (value === null || typeof value === 'boolean' || value instanceof Uint8Array) return undefined;
  if (typeof value === 'string') return isWellFormed(value) ? undefined : ': half a surrogate pair cannot be sent';
  if (typeof value === 'number' || value instanceof Date) {
    return Number.isFinite(+value) ? undefined : `: ${value} cannot be sent`;
  }
  if (depth > MAX_DEPTH) return `: more than ${MAX_DEPTH} levels cannot be sent`;
  const isArray = Array.isArray(value);
  if (!isArray && !isPlain(value))
    return `: ${value?.constructor?.name} cannot be sent; send JSON data or a Uint8Array`;
  for (const [key, item] of isArray ? value.entries() : Object.entries(value)) {
    // Encoders leave out a key without a value, and would fill a hole in an array.
    if (item === undefined && !isArray) continue;
    const problem =
      key === '__proto__' ? ': __proto__ cannot be sent' : (problemOf(key, 0) ?? problemOf(item, depth + 1));
    if (problem) return (/^[a-z_]\w*$/i.test(String(key)) ? `.${key}` : `[${JSON.stringify(key)}]`) + problem;
  }
  return undefined;
}

/** An object of any realm that is of no class. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
