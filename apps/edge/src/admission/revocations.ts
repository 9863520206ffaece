/** Checks users and tokens against the revocations of the cluster, which this edge has in memory. */
import { RevocationFollower, type RevocationLog } from '@hubbub/broker';
import type { Config } from '@hubbub/config';
import { HubbubError, type Revocation } from '@hubbub/protocol';
import { type Logger, type MetricsRegistry, metricsKit } from '@hubbub/runtime';
import type { TokenIdentity } from './token-identity.js';

export interface RevocationParts {
  readonly revocationLog: RevocationLog;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** The end of a user's access: tokens may be replaced, a block remains. */
export type RevocationReason = 'the token was revoked' | 'the user is blocked';

/** At a start there is no connection yet, which is not worth a log line. */
const WARN_AFTER_MS = 5000;

const RESULTS = ['session', 'handshake', 'refresh', 'room_token'] as const;
export type RevokedPart = (typeof RESULTS)[number];

export class Revocations {
  readonly #follower: RevocationFollower;
  readonly #maxAgeMs: number;
  readonly #onRevoked = new Set<(revocation: Revocation) => void>();
  /** Counts what a revocation ended or refused. */
  readonly ended: (part: RevokedPart) => void;

  constructor({ revocationsMaxAgeMs }: Pick<Config, 'revocationsMaxAgeMs'>, parts: RevocationParts) {
    this.#maxAgeMs = revocationsMaxAgeMs;
    let failing: { readonly sinceMs: number; isLogged: boolean } | undefined;
    this.#follower = new RevocationFollower({
      log: parts.revocationLog,
      onRevoked: revocation => {
        for (const listener of this.#onRevoked) listener(revocation);
      },
      onRead(error) {
        if (error === undefined) failing = undefined;
        else failing ??= { sinceMs: performance.now(), isLogged: false };
        if (failing === undefined || failing.isLogged || performance.now() - failing.sinceMs < WARN_AFTER_MS) return;
        failing.isLogged = true;
        parts.log.warn({ event: 'revocations_unread', err: error }, 'could not read the revocations; retrying');
      },
    });
    const kit = metricsKit(parts.metrics);
    const ended = kit.counterBy(
      'hubbub_edge_revoked_total',
      'Sessions ended, and handshakes, refreshes and room tokens refused, by a revocation or a block.',
      RESULTS.map(part => ({ part })),
    );
    this.ended = part => ended({ part });
    kit.gauge(
      'hubbub_edge_revocations',
      'Revocations and blocks that this edge knows.',
      () => this.#follower.known.size,
    );
    kit.gauge(
      'hubbub_edge_revocations_age_seconds',
      'Time since this edge last read the revocations; -1 before the first read.',
      () => (this.#follower.ageMs ?? -1000) / 1000,
    );
  }

  /** @param onRevoked is called for each revocation that is new or has changed */
  start(onRevoked: (revocation: Revocation) => void): void {
    this.#onRevoked.add(onRevoked);
    this.#follower.start();
  }

  close(): void {
    this.#follower.close();
  }

  /** Whether they were read at all, and recently enough where HUBBUB_REVOCATIONS_MAX_AGE_MS asks for that. */
  get isKnown(): boolean {
    const { ageMs } = this.#follower;
    return ageMs !== undefined && (this.#maxAgeMs === 0 || ageMs <= this.#maxAgeMs);
  }

  describe(): string {
    const { ageMs } = this.#follower;
    if (ageMs === undefined) return 'not read yet';
    return this.isKnown ? 'known' : `not read for ${Math.round(ageMs / 1000)} s`;
  }

  /** Why the user may have no session with this token; `undefined`: it may. */
  reason(userId: string, { issuedAtSeconds, tokenId }: TokenIdentity): RevocationReason | undefined {
    const { known } = this.#follower;
    if (known.size === 0) return undefined;
    const isInForce = (revocation: Revocation | undefined): revocation is Revocation =>
      revocation !== undefined && revocation.untilMs > Date.now();
    if (isInForce(known.get(`block:${userId}`))) return 'the user is blocked';
    const tokens = known.get(`tokens:${userId}`);
    const isRevoked =
      (isInForce(tokens) && tokens.kind === 'tokens' && issuedAtSeconds * 1000 <= tokens.upToMs) ||
      (tokenId !== undefined && isInForce(known.get(`token:${userId}\n${tokenId}`)));
    return isRevoked ? 'the token was revoked' : undefined;
  }

  /**
   * @throws {HubbubError} `UNAUTHORIZED` for a revoked token, which the client may replace; `FORBIDDEN` for a blocked user;
   * `UNAVAILABLE` where the revocations must be known and are not
   */
  assertAccess(userId: string, token: TokenIdentity, part: RevokedPart): void {
    if (this.#maxAgeMs > 0 && !this.isKnown) {
      throw new HubbubError('UNAVAILABLE', 'This edge does not know which tokens are revoked; try again later.');
    }
    const reason = this.reason(userId, token);
    if (reason === undefined) return;
    this.ended(part);
    if (reason === 'the user is blocked') throw new HubbubError('FORBIDDEN', 'The user is blocked.');
    if (part === 'room_token') throw new HubbubError('FORBIDDEN', 'The room token was revoked.');
    throw new HubbubError('UNAUTHORIZED', 'The token was revoked.');
  }
}
