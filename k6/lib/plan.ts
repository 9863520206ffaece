/** What the options of all scenarios have in common: virtual users that live once, few tags, thresholds that fail the run. */
import type { Options, PerVUIterationsScenario, Threshold } from 'k6/options';

type Thresholds = Record<string, Threshold[]>;

/** Tags that k6 adds by itself. `url` and `name` are not among them: they would name rooms. */
const SYSTEM_TAGS: NonNullable<Options['systemTags']> = ['scenario', 'status', 'check'];
const TREND_STATS = ['min', 'avg', 'med', 'p(95)', 'p(99)', 'max', 'count'];
/** Settling and closing, after the timetable is over. */
const AFTERWARDS_S = 60;

/** Nothing lost, nothing twice, nothing out of order, nobody refused, nothing complained of. Loss ends the run at once. */
export const NOTHING_WRONG: Thresholds = {
  hubbub_messages_lost: [{ threshold: 'count==0', abortOnFail: true }],
  hubbub_messages_repeated: ['count==0'],
  hubbub_messages_disordered: ['count==0'],
  hubbub_connections_failed: ['count==0'],
  hubbub_room_gaps: ['count==0'],
  hubbub_errors: ['count==0'],
  hubbub_scenario_crashes: ['count==0'],
  hubbub_messages_received: ['count>0'],
};

export function planOf(scenarios: Record<string, PerVUIterationsScenario>, thresholds: Thresholds): Options {
  return { scenarios, thresholds, systemTags: SYSTEM_TAGS, summaryTrendStats: TREND_STATS };
}

/** Virtual users that each live once, for the whole timetable of so many seconds. */
export function crewOf(vus: number, seconds: number, exec?: string): PerVUIterationsScenario {
  return {
    executor: 'per-vu-iterations',
    vus,
    iterations: 1,
    maxDuration: `${seconds + AFTERWARDS_S}s`,
    gracefulStop: '10s',
    ...(exec !== undefined && { exec }),
  };
}

/** Latency limits can be moved: `LOAD_P99_MS`. */
export function below(percentile: 95 | 99, ms: number): string {
  return `p(${percentile})<${ms}`;
}
