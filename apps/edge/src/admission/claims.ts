/** The claims that every token of ours has: when it is valid, who issued it and for whom (RFC 7519 section 4.1). */
import { HubbubError } from '@hubbub/protocol';

export type Claims = Readonly<Record<string, unknown>>;

/** A token that is signed by a key of ours, valid now, and meant for us. */
export interface VerifiedClaims {
  /** The claims of the token; custom ones unchecked. */
  readonly claims: Claims;
  /** `exp` plus the leeway, milliseconds since 1970; `undefined` where the token does not expire. */
  readonly expiresAtMs: number | undefined;
}

/**
 * Checks signature, `exp`, `nbf`, `iss` and `aud`. A promise where a key has to be fetched first.
 * @throws {HubbubError} `UNAUTHORIZED`, or `UNAVAILABLE` when no keys are to be had; or rejects with it. Messages never hold the token.
 */
export type ClaimsVerifier = (token: string) => VerifiedClaims | Promise<VerifiedClaims>;

/** Calls `next` now, or when the value is there: an upgrade that awaits nothing is answered within the engine's callback. */
export function continueWith<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}

export interface ClaimsPolicy {
  /** How far the clocks of those who sign may be off. */
  readonly leewayMs: number;
  /** `undefined`: anybody. */
  readonly issuer: string | undefined;
  /** `aud` must name one of them; `undefined`: anything. */
  readonly audience: readonly string[] | undefined;
  /** A token without an end is refused. */
  readonly requireExp: boolean;
}

/** The last moment that RFC 3339 has a name for. A time in milliseconds is far beyond it, and would never come. */
const END_OF_TIME_SECONDS = Date.UTC(9999, 11, 31) / 1000;

/** @throws {HubbubError} `UNAUTHORIZED` */
export function checkClaims(
  claims: Claims,
  { leewayMs, issuer, audience, requireExp }: ClaimsPolicy,
  nowMs: number,
): VerifiedClaims {
  const notBefore = numericDate(claims, 'nbf');
  if (notBefore !== undefined && nowMs < notBefore * 1000 - leewayMs)
    throw refusal('The token is not valid yet (claim nbf).');
  if (issuer !== undefined && claims.iss !== issuer) throw refusal('The token is from another issuer (claim iss).');
  if (audience !== undefined && !namesOneOf(claims.aud, audience)) {
    throw refusal('The token is for another audience (claim aud).');
  }
  const expires = numericDate(claims, 'exp');
  if (expires === undefined) {
    if (requireExp) throw refusal('The token never expires: production requires the claim exp.');
    return { claims, expiresAtMs: undefined };
  }
  const expiresAtMs = expires * 1000 + leewayMs;
  if (nowMs >= expiresAtMs) throw refusal('The token has expired (claim exp).');
  return { claims, expiresAtMs };
}

/** Seconds since 1970. A claim of another type is a mistake of the signer's, and not a token without an end. */
function numericDate(claims: Claims, name: 'exp' | 'nbf'): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw refusal(`The token's claim ${name} must be a number of seconds.`);
  }
  if (value > END_OF_TIME_SECONDS) {
    throw refusal(`The token's claim ${name} is beyond the year 9999; it is a number of seconds, not of milliseconds.`);
  }
  return value;
}

function namesOneOf(claim: unknown, audience: readonly string[]): boolean {
  const named: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return named.some(name => typeof name === 'string' && audience.includes(name));
}

function refusal(message: string): HubbubError {
  return new HubbubError('UNAUTHORIZED', message);
}
