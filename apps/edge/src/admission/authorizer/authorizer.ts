/** Asks an HTTP service of the operator's own whether somebody may connect, join or publish (docs/authorizer.md). */

import { type Config, namespaceSettings } from '@hubbub/config';
import { HubbubError, namespaceOf } from '@hubbub/protocol';
import type { Logger, MetricsRegistry } from '@hubbub/runtime';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { LRUCache } from 'lru-cache';
import { LimitExceeded, spreadRetryMs } from '../../limits/limit-exceeded.js';
import { limitKeyOf } from '../../limits/limit-key.js';
import { type BreakerState, createAuthorizerMetrics } from './authorizer-metrics.js';
import { PendingShares } from './pending-shares.js';
import { type Answer, askOverHttp, type Question } from './question.js';

export interface Authorizer {
  /**
   * Returns if it is allowed: immediately where the configuration does not ask, or the answer is cached.
   * @throws {HubbubError} `FORBIDDEN`; `UNAUTHORIZED` at a connect; `UNAVAILABLE` if the authorizer fails and the setting then refuses;
   * or rejects with it. {@link LimitExceeded} above the limits of pending questions, whatever a failure means.
   */
  ask(question: Question): void | Promise<void>;
}

export type AuthorizerSettings = Pick<
  Config,
  | 'authorizerUrl'
  | 'authorizerKey'
  | 'authorizeConnections'
  | 'authorizerTimeoutMs'
  | 'authorizerOnFailure'
  | 'authorizerCacheMs'
  | 'authorizerCacheSize'
  | 'authorizerMaxPending'
  | 'authorizerMaxPendingPerUser'
  | 'authorizerBreakerFailures'
  | 'authorizerBreakerOpenMs'
  | 'namespaces'
>;

/** No answer is cached longer, whatever its time to live: a mistake in a unit must not last for years. */
const MAX_TTL_MS = 24 * 3_600_000;

const RETRY_MIN_MS = 500;
const RETRY_SPREAD_MS = 1000;

const BREAKER_STATES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
};

/**
 * @example
 * const authorizer = createAuthorizer(config, { log, metrics });
 * await authorizer.ask({ action: 'join', user, address, room });
 */
export function createAuthorizer(
  settings: AuthorizerSettings,
  { log, metrics: registry }: { readonly log: Logger; readonly metrics: MetricsRegistry },
): Authorizer {
  const { authorizerUrl: url, authorizerKey: key, authorizerTimeoutMs: timeoutMs, namespaces } = settings;
  if (url === undefined) return { ask: () => {} };

  const answers = new LRUCache<string, Answer>({ max: settings.authorizerCacheSize });
  const underWay = new Map<string, Promise<Answer | undefined>>();
  const pending = new PendingShares(settings.authorizerMaxPending, settings.authorizerMaxPendingPerUser);
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: settings.authorizerBreakerOpenMs,
    breaker: new ConsecutiveBreaker(settings.authorizerBreakerFailures),
  });
  const metrics = createAuthorizerMetrics(
    registry,
    log,
    () => BREAKER_STATES[breaker.state],
    () => pending.size,
  );
  breaker.onBreak(metrics.breakerOpened);
  breaker.onReset(metrics.breakerClosed);

  function isAsked({ action, room }: Question): boolean {
    if (action === 'connect' || action === 'refresh') return settings.authorizeConnections;
    return room !== undefined && namespaceSettings(namespaces, namespaceOf(room)).authorize.includes(action);
  }

  /**
   * Resolves with the answer, or with `undefined` when the authorizer fails.
   * @throws {LimitExceeded} without asking: an overflow is not a failure of the authorizer, and never admits a session.
   */
  async function request(question: Question): Promise<Answer | undefined> {
    const { action } = question;
    const asker = limitKeyOf(question.user, question.address);
    if (!pending.take(asker)) {
      metrics.question(action, 'too_many');
      throw tooManyPending(pending.of(asker));
    }
    try {
      return await requestInTurn(question);
    } finally {
      pending.release(asker);
    }
  }

  async function requestInTurn(question: Question): Promise<Answer | undefined> {
    const { action } = question;
    // One question tries whether it is back; the others need not wait for what that one learns.
    if (breaker.state === CircuitState.HalfOpen) {
      metrics.question(action, 'breaker_open');
      return undefined;
    }
    let asked = false;
    try {
      const answer = await breaker.execute(async () => {
        asked = true;
        const startedAt = performance.now();
        try {
          return await askOverHttp({ url: url ?? '', key, timeoutMs }, question);
        } finally {
          metrics.answered(performance.now() - startedAt);
        }
      });
      metrics.question(action, answer.allow ? 'allowed' : 'denied');
      return answer;
    } catch (error) {
      // The cause is for the operator; for the client every cause is the same.
      metrics.question(action, asked ? 'failed' : 'breaker_open');
      if (asked) metrics.failed(error);
      return undefined;
    }
  }

  /** Every message differs: its answers are cached only if they name a time to live. */
  function remember(question: Question, key: string, { ttl_ms, ...answer }: Answer): void {
    const ttl = Math.min(ttl_ms ?? (question.action === 'publish' ? 0 : settings.authorizerCacheMs), MAX_TTL_MS);
    if (ttl >= 1) answers.set(key, answer, { ttl });
  }

  function askAndRemember(question: Question, key: string): Promise<Answer | undefined> {
    return request(question).then(answer => {
      if (answer !== undefined) remember(question, key, answer);
      return answer;
    });
  }

  function carryOut(question: Question, answer: Answer | undefined): void {
    if (answer === undefined) {
      if (settings.authorizerOnFailure === 'allow') return;
      throw new HubbubError('UNAVAILABLE', 'The authorizer cannot answer now; try again later.');
    }
    if (answer.allow) return;
    const code = question.action === 'connect' && answer.unauthorized ? 'UNAUTHORIZED' : 'FORBIDDEN';
    throw new HubbubError(code, answer.reason ?? 'The authorizer does not allow this.');
  }

  return {
    ask(question) {
      if (!isAsked(question)) return;
      const { payload, ...alike } = question;
      const name = JSON.stringify(alike);
      const known = answers.get(name);
      if (known !== undefined) {
        metrics.question(question.action, 'cached');
        return carryOut(question, known);
      }
      if (payload !== undefined) return askAndRemember(question, name).then(answer => carryOut(question, answer));
      let answer = underWay.get(name);
      if (answer === undefined) {
        answer = askAndRemember(question, name).finally(() => underWay.delete(name));
        underWay.set(name, answer);
      } else {
        metrics.question(question.action, 'shared');
      }
      return answer.then(answer => carryOut(question, answer));
    },
  };
}

/** @param own questions of the same user that are pending */
function tooManyPending(own: number): LimitExceeded {
  const retryAfterMs = spreadRetryMs(RETRY_MIN_MS, RETRY_SPREAD_MS);
  const [code, what] =
    own > 0
      ? (['RATE_LIMITED', 'Too many questions to the authorizer are pending for this user'] as const)
      : (['UNAVAILABLE', 'Too many questions to the authorizer are pending'] as const);
  return new LimitExceeded('authorizer_questions', code, `${what}; try again in ${retryAfterMs} ms.`, retryAfterMs);
}
