/** Revocations of tokens, and blocks of users: their form between processes (docs/redis-contract.md#revocations). */
import { isUserId } from './identifiers.js';
import { isText } from './text.js';

/** A longer `jti` cannot be revoked by itself, only with all tokens of its user. */
export const TOKEN_ID_MAX_BYTES = 256;

export type Revocation =
  /** The tokens of the user that were issued at `upToMs` or before. A token without `iat` counts as one of them. */
  | { readonly kind: 'tokens'; readonly user: string; readonly upToMs: number; readonly untilMs: number }
  /** The token of the user with this `jti`. */
  | { readonly kind: 'token'; readonly user: string; readonly jti: string; readonly untilMs: number }
  /** Every session of the user, with whatever token. */
  | { readonly kind: 'block'; readonly user: string; readonly untilMs: number };

export type RevocationTarget =
  | { readonly kind: 'tokens' | 'block'; readonly user: string }
  | { readonly kind: 'token'; readonly user: string; readonly jti: string };

/** Two revocations of one id replace each other. A user id has no line break. */
export function revocationId(target: RevocationTarget): string {
  return target.kind === 'token' ? `token:${target.user}\n${target.jti}` : `${target.kind}:${target.user}`;
}

/** The revocation that a JSON text holds; `undefined` for any other text. */
export function readRevocation(json: string): Revocation | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined; // Written by another program.
  }
  const { kind, user, jti, upToMs, untilMs } = Object(value);
  if (!isUserId(user) || !isTime(untilMs)) return undefined;
  if (kind === 'block') return { kind, user, untilMs };
  if (kind === 'tokens') return isTime(upToMs) ? { kind, user, upToMs, untilMs } : undefined;
  return kind === 'token' && isTokenId(jti) ? { kind, user, jti, untilMs } : undefined;
}

export function isTokenId(value: unknown): value is string {
  return typeof value === 'string' && isText(value, TOKEN_ID_MAX_BYTES);
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
