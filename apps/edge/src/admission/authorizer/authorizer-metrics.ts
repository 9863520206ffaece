/** Metrics of the authorizer, and the log of its failures. */
import { type Logger, type MetricsRegistry, metricsKit, occasionally } from '@hubbub/runtime';
import type { AuthorizedAction } from './question.js';

const QUESTION_RESULTS = ['allowed', 'denied', 'cached', 'shared', 'failed', 'breaker_open', 'too_many'] as const;

/** `allowed` and `denied` were asked for; `cached` and `shared` cost no request; the rest found no answer. */
export type QuestionResult = (typeof QUESTION_RESULTS)[number];

export type BreakerState = 'closed' | 'half_open' | 'open';

const FAILURE_LOG_INTERVAL_MS = 10_000;
const ACTIONS = ['connect', 'refresh', 'join', 'publish'] as const satisfies readonly AuthorizedAction[];
const BREAKER_STATES = ['closed', 'half_open', 'open'] as const satisfies readonly BreakerState[];

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** @param breaker asked when scraped @param pending pending questions, read when scraped */
export function createAuthorizerMetrics(
  registry: MetricsRegistry,
  log: Logger,
  breaker: () => BreakerState,
  pending: () => number,
) {
  const { counterBy, duration, gauge, gaugeBy } = metricsKit(registry);
  const questions = counterBy(
    'hubbub_edge_authorizer_questions_total',
    'Questions to the authorizer, by action and result; shared: answered with a pending question.',
    ACTIONS.flatMap(action => QUESTION_RESULTS.map(result => ({ action, result }))),
  );
  gaugeBy(
    'hubbub_edge_authorizer_breaker',
    "1 for the current state of the authorizer's circuit breaker: closed, half_open or open.",
    ['state'],
    () => BREAKER_STATES.map(state => [{ state }, breaker() === state ? 1 : 0] as const),
  );
  gauge('hubbub_edge_authorizer_pending', 'Requests to the authorizer in flight.', pending);
  const failed = occasionally(FAILURE_LOG_INTERVAL_MS, (suppressed, error: unknown) =>
    log.warn(
      { event: 'authorizer_failed', reason: describe(error), suppressed },
      'the authorizer did not answer, or sent an unexpected answer',
    ),
  );
  return {
    question: (action: AuthorizedAction, result: QuestionResult) => questions({ action, result }),
    answered: duration(
      'hubbub_edge_authorizer_duration_seconds',
      'Duration of requests to the authorizer, including failed ones.',
      DURATION_BUCKETS_SECONDS,
    ),
    failed,
    breakerOpened: () =>
      log.error({ event: 'authorizer_given_up' }, 'the authorizer failed repeatedly; questions to it are paused'),
    breakerClosed: () => log.info({ event: 'authorizer_back' }, 'the authorizer answers again'),
  };
}

/** `fetch failed` hides why in its cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}
