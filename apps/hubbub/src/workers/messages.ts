/** Messages between a parent and its workers. */
import type { MetricValues, Readiness } from '@hubbub/runtime';

/** The parent's requests, and their answers. */
export interface WorkerAnswers {
  readonly readiness: Readiness;
  readonly metrics: MetricValues;
}

export type ParentMessage =
  | { readonly kind: 'ask'; readonly number: number; readonly about: keyof WorkerAnswers }
  /** Drain and end. `announced`: a balancer has to see first that the edge is not ready. */
  | { readonly kind: 'leave'; readonly announced: boolean };

export type WorkerMessage =
  /** It listens. */
  | { readonly kind: 'up' }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: WorkerAnswers[keyof WorkerAnswers] };
