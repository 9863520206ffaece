/** Revokes tokens and blocks users, on every edge within a second. */
import type { RevocationLog } from '@hubbub/broker';
import { TOKEN_ID_MAX_BYTES } from '@hubbub/protocol';
import { fieldsOf, text, userId, wholeNumber } from './checks.js';
import type { Gate } from './gate.js';

const DAY_MS = 86_400_000;
const TTL_DEFAULT_MS = 30 * DAY_MS;
const TTL_MAX_MS = 366 * DAY_MS;

export interface TokenSelection {
  /** Only the token with this `jti`. Default: all tokens of the user that were issued up to now. */
  readonly jti?: string;
}

export interface RevokeOptions extends TokenSelection {
  /** How long it is kept: at least the longest lifetime of your tokens. Default 30 days, at most 366. */
  readonly ttlMs?: number;
}

export interface AccessControl {
  /**
   * Revokes tokens of a user: their sessions end with the close code 4205, and edges refuse them from now on. A token without
   * `iat` counts as issued before.
   * @throws {HubbubError} `INVALID_FORMAT`, `RATE_LIMITED` (too many revocations), `UNAVAILABLE`: doing it twice does no harm
   * @example await hubbub.revokeTokens('u1');
   */
  revokeTokens(user: string, options?: RevokeOptions): Promise<void>;
  /** Withdraws a revocation: its tokens are valid again. Returns whether there was such a revocation. Throws as `revokeTokens`. */
  restoreTokens(user: string, options?: TokenSelection): Promise<boolean>;
  /**
   * Ends every session of a user with the close code 4205, and refuses new ones until then, whatever their tokens.
   * @param until at most 366 days from now
   * @throws {HubbubError} as `revokeTokens`
   * @example await hubbub.blockUser('u1', new Date(Date.now() + 3_600_000));
   */
  blockUser(user: string, until: Date): Promise<void>;
  /** Returns whether the user was blocked. Throws as `revokeTokens`. */
  unblockUser(user: string): Promise<boolean>;
}

export function createAccessControl(log: RevocationLog, gate: Gate): AccessControl {
  return {
    async revokeTokens(user, options = {}) {
      const { jti, ttlMs = TTL_DEFAULT_MS } = fieldsOf('options', options);
      const nowMs = Date.now();
      const untilMs = nowMs + wholeNumber('ttlMs', ttlMs, 1, TTL_MAX_MS);
      const revocation = { ...selected(user, jti), untilMs };
      await gate.pass(() => log.revoke(revocation.kind === 'token' ? revocation : { ...revocation, upToMs: nowMs }));
    },
    async restoreTokens(user, options = {}) {
      const target = selected(user, fieldsOf('options', options).jti);
      return await gate.pass(() => log.withdraw(target));
    },
    async blockUser(user, until) {
      const nowMs = Date.now();
      const untilMs = until instanceof Date ? until.getTime() : Number.NaN;
      wholeNumber('until: milliseconds from now', untilMs - nowMs, 1, TTL_MAX_MS);
      const revocation = { kind: 'block', user: userId('user', user), untilMs } as const;
      await gate.pass(() => log.revoke(revocation));
    },
    async unblockUser(user) {
      const target = { kind: 'block', user: userId('user', user) } as const;
      return await gate.pass(() => log.withdraw(target));
    },
  };
}

function selected(user: string, jti: string | undefined) {
  const id = userId('user', user);
  if (jti === undefined) return { kind: 'tokens', user: id } as const;
  return { kind: 'token', user: id, jti: text('jti', jti, TOKEN_ID_MAX_BYTES) } as const;
}
