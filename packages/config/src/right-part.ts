/** Removes the wrong settings, so that the others can be checked. */
import type { z } from 'zod';

type Given = Readonly<Record<string, unknown>>;

/**
 * Cuts at what an issue can be blamed on as a whole: a setting, a webhook, or a field of a namespace.
 *
 * @example withoutWrong({ port: 'eighty', host: '::1' }, issues) // { host: '::1' }
 */
export function withoutWrong(given: Given, issues: readonly z.core.$ZodIssue[]): Given {
  return issues.flatMap(wrongPlaces).reduce(without, given);
}

/** Settings that an issue leaves nothing of. Not namespaces that have some wrong field. */
export function whollyWrong(issues: readonly z.core.$ZodIssue[]): string[] {
  return issues.flatMap(wrongPlaces).flatMap(([name, ...inner]) => (inner.length === 0 ? [String(name)] : []));
}

type Place = readonly PropertyKey[];

/** Settings that only the file holds: a field of a namespace, a webhook. */
const DEPTHS: Readonly<Record<string, number>> = { namespaces: 3, webhooks: 2 };

function wrongPlaces(issue: z.core.$ZodIssue): Place[] {
  const depth = DEPTHS[String(issue.path[0])] ?? 1;
  const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
  const places = keys.length > 0 ? keys.map(key => [...issue.path, key]) : [issue.path];
  return places.map(place => place.slice(0, depth));
}

function without(given: Given, [key, ...inner]: Place): Given {
  const { [String(key)]: value, ...others } = given;
  if (inner.length === 0 || !isGiven(value)) return others;
  return { ...others, [String(key)]: without(value, inner) };
}

function isGiven(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
