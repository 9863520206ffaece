/** The keys of the HTTP API: a list of keys with every right, or named keys with their limits. */
import { API_OPERATIONS, isNamespace } from '@hubbub/protocol';
import { z } from 'zod';
import { integer, isHeaderText, splitAtCommas } from './fields.js';

/** A shortened output of `openssl rand -hex 24`. */
export const API_KEYS = 'API keys such as 5f1c9a0e7b3d2468 (visible ASCII characters)';

const EXPECTED = `expected a list of ${API_KEYS}, separated by commas`;
const OPERATIONS_EXPECTED = `expected a list of ${API_OPERATIONS.join(', ')}`;
const NAMESPACES_EXPECTED = 'expected a list of namespaces, or nothing for every namespace';
const NAME_EXPECTED = 'expected a name of letters, digits, _ and -';

const namedKey = z
  .strictObject(
    {
      name: z.string({ error: NAME_EXPECTED }).regex(/^[A-Za-z0-9_-]{1,64}$/, { error: NAME_EXPECTED }),
      key: z.string({ error: EXPECTED }).refine(isHeaderText, { error: EXPECTED }).optional(),
      sha256: z
        .string({ error: 'expected the SHA-256 of a key, in hex' })
        .regex(/^[0-9a-f]{64}$/i, { error: 'expected the SHA-256 of a key, in hex' })
        .optional(),
      operations: z
        .array(z.enum(API_OPERATIONS, { error: OPERATIONS_EXPECTED }), { error: OPERATIONS_EXPECTED })
        .min(1, { error: OPERATIONS_EXPECTED }),
      namespaces: z
        .array(z.string({ error: NAMESPACES_EXPECTED }).refine(isNamespace, { error: NAMESPACES_EXPECTED }), {
          error: NAMESPACES_EXPECTED,
        })
        .min(1, { error: NAMESPACES_EXPECTED })
        .optional(),
      maxRequestsPerSecond: integer(1, 100_000).optional(),
    },
    { error: issue => (issue.code === 'invalid_type' ? EXPECTED : undefined) },
  )
  .refine(({ key, sha256 }) => (key === undefined) !== (sha256 === undefined), {
    error: 'expected either key or sha256',
  });

/** A key and what it allows. */
export type ApiKeySetting = Readonly<z.infer<typeof namedKey>>;

/** Named `key-1`, `key-2` and so on where the list holds only the keys. */
export const apiKeyList = z.preprocess(
  value => {
    const keys = typeof value === 'string' ? splitAtCommas(value) : value === null ? [] : value;
    return Array.isArray(keys) ? keys.map(withEveryRight) : keys;
  },
  z.array(namedKey, { error: EXPECTED }).refine(areNamesUnique, { error: 'expected a different name for each key' }),
);

function withEveryRight(item: unknown, index: number): unknown {
  return typeof item === 'string' ? { name: `key-${index + 1}`, key: item, operations: [...API_OPERATIONS] } : item;
}

function areNamesUnique(keys: readonly { readonly name: string }[]): boolean {
  return new Set(keys.map(({ name }) => name)).size === keys.length;
}
