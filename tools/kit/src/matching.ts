/** Decides whether a frame or a log line matches the one that a test waits for. */

/** A `type`, an object with fields that must all match (deeply), or a predicate of the test. */
export type Match<T> = string | { readonly [field: string]: unknown } | ((value: T) => boolean);

export function matches<T extends object>(value: T, match: Match<T>): boolean {
  if (typeof match === 'function') return match(value);
  return contains(value, typeof match === 'string' ? { type: match } : match);
}

function contains(actual: unknown, expected: unknown): boolean {
  if (!isObject(expected)) return Object.is(actual, expected);
  if (!isObject(actual)) return false;
  if (Array.isArray(expected) && (!Array.isArray(actual) || actual.length !== expected.length)) return false;
  return Object.entries(expected).every(([key, value]) => contains(actual[key], value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Describes the awaited match for an error text. */
export function describeMatch<T>(match: Match<T>): string {
  if (typeof match === 'string') return match;
  return typeof match === 'function' ? `what satisfies ${match}` : JSON.stringify(match);
}
