/** A JSON Web Key Set (RFC 7517) as keys by their `kid`. Pure. */
import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { publicKey, type RsaAlgorithm, type VerificationKey } from './verification-key.js';

/** Keys by `kid`; several may share one where their algorithms differ (RFC 7517 section 4.5). */
export type KeysByKid = ReadonlyMap<string, readonly VerificationKey[]>;

export interface KeySet {
  readonly keys: KeysByKid;
  /** Keys of the set that an edge cannot use: for encryption, of another type, without a `kid`. */
  readonly skipped: number;
}

const KEYS_MAX = 100;

const keySetSchema = z.object({ keys: z.array(z.unknown()).max(KEYS_MAX) });

const optionalText = z.string().optional();

/** Only what a public key is made of: never `d`, and never the symmetric `oct`, which a public document cannot keep. */
const keyMaterialSchema = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('RSA'), n: z.string(), e: z.string() }),
  z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
]);

const keySchema = z.object({
  kid: z.string().min(1),
  use: z.literal('sig').optional(),
  key_ops: z
    .array(z.string())
    .refine(operations => operations.includes('verify'))
    .optional(),
  alg: optionalText,
  // A key with a published private half signs for everybody.
  d: z.undefined().optional(),
});

/**
 * @param rsaAlgorithm of RSA keys that do not name one
 * @throws {Error} if the text is not a key set, or has more than 100 keys. Keys that cannot be used are skipped.
 */
export function parseKeySet(text: string, rsaAlgorithm: RsaAlgorithm): KeySet {
  const entries = keySetSchema.parse(JSON.parse(text)).keys;
  const keys = new Map<string, VerificationKey[]>();
  let skipped = 0;
  for (const entry of entries) {
    const known = parseKey(entry, rsaAlgorithm);
    if (known === undefined) skipped++;
    else keys.set(known.kid, [...(keys.get(known.kid) ?? []), known.key]);
  }
  return { keys, skipped };
}

function parseKey(entry: unknown, rsaAlgorithm: RsaAlgorithm): { kid: string; key: VerificationKey } | undefined {
  const head = keySchema.safeParse(entry);
  const material = keyMaterialSchema.safeParse(entry);
  if (!head.success || !material.success) return undefined;
  const { kid, alg } = head.data;
  const rsa = alg === 'RS256' || alg === 'PS256' ? alg : rsaAlgorithm;
  try {
    const key = publicKey(createPublicKey({ key: material.data, format: 'jwk' }), rsa);
    return alg === undefined || alg === key.algorithm ? { kid, key } : undefined;
  } catch {
    return undefined; // Too short, or not a point of its curve: as good as no key, and no reason to lose the others.
  }
}
