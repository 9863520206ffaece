/** What an edge measures of the authorizer, and what it logs of its failures. */
import { type Logger, type MetricsRegistry, occasionally } from '@hubbub/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { AuthorizedAction } from './question.js';

const QUESTION_RESULTS = ['allowed', 'denied', 'cached', 'shared', 'failed', 'breaker_open', 'too_many'] as const;

/** `allowed` and `denied` were asked for; `cached` and `shared` cost no request; the rest found no answer. */
export type QuestionResult = (typeof QUESTION_RESULTS)[number];

export interface AuthorizerMetrics {
  question(action: AuthorizedAction, result: QuestionResult): void;
  answered(durationMs: number): void;
  failed(error: unknown): void;
  breakerOpened(): void;
  breakerClosed(): void;
}

export type BreakerState = 'closed' | 'half_open' | 'open';

const FAILURE_LOG_INTERVAL_MS = 10_000;
const ACTIONS = ['connect', 'refresh', 'join', 'publish'] as const satisfies readonly AuthorizedAction[];
const BREAKER_STATES = ['closed', 'half_open', 'open'] as const satisfies readonly BreakerState[];

/** @param breaker asked when scraped @param pending questions under way, asked when scraped */
export function createAuthorizerMetrics(
  registry: MetricsRegistry,
  log: Logger,
  breaker: () => BreakerState,
  pending: () => number,
): AuthorizerMetrics {
  const registers = [registry];
  const questions = new Counter({
    name: 'hubbub_edge_authorizer_questions_total',
    help: 'Questions to the authorizer by action and result: allowed, denied, cached, shared (with a pending question), failed, breaker_open, too_many (pending).',
    labelNames: ['action', 'result'] as const,
    registers,
  });
  // Counted from 0, so that the first failure is a rise that can be seen.
  for (const action of ACTIONS) for (const result of QUESTION_RESULTS) questions.inc({ action, result }, 0);
  const duration = new Histogram({
    name: 'hubbub_edge_authorizer_duration_seconds',
    help: 'Duration of requests to the authorizer, including failed ones.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  new Gauge({
    name: 'hubbub_edge_authorizer_breaker',
    help: "1 for the current state of the authorizer's circuit breaker: closed, half_open or open.",
    labelNames: ['state'] as const,
    registers,
    collect() {
      for (const state of BREAKER_STATES) this.set({ state }, breaker() === state ? 1 : 0);
    },
  });
  new Gauge({
    name: 'hubbub_edge_authorizer_pending',
    help: 'Requests to the authorizer in flight.',
    registers,
    collect() {
      this.set(pending());
    },
  });
  let lastFailure: unknown;
  const failureLog = occasionally(FAILURE_LOG_INTERVAL_MS, suppressed =>
    log.warn(
      { event: 'authorizer_failed', reason: describe(lastFailure), suppressed },
      'the authorizer did not answer as it should',
    ),
  );
  return {
    question: (action, result) => questions.inc({ action, result }),
    answered: durationMs => duration.observe(durationMs / 1000),
    failed(error) {
      lastFailure = error;
      failureLog();
    },
    breakerOpened: () =>
      log.error({ event: 'authorizer_given_up' }, 'the authorizer fails again and again: it is left alone for a while'),
    breakerClosed: () => log.info({ event: 'authorizer_back' }, 'the authorizer answers again'),
  };
}

/** `fetch failed` hides why in its cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}
