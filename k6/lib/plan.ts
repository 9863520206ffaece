/** The common options of all scenarios: virtual users with one iteration, few tags, thresholds that fail the run. */
import type { Options, PerVUIterationsScenario, Threshold } from 'k6/options';

type Thresholds = Record<string, Threshold[]>;

/** Tags that k6 adds by itself, without `url` and `name`: those would contain rooms. */
const SYSTEM_TAGS: NonNullable<Options['systemTags']> = ['scenario', 'status', 'check'];
const TREND_STATS = ['min', 'avg', 'med', 'p(95)', 'p(99)', 'max', 'count'];
/** Time to settle and close after the end of the timetable. */
const AFTERWARDS_S = 60;

/** Fails on lost, repeated or disordered messages, refused connections, gaps and errors. A loss ends the run immediately. */
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

/** Returns virtual users with one iteration each, as long as the whole timetable. */
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

/** A limit of latency; settings such as `LOAD_P99_MS` change it. */
export function below(percentile: 95 | 99, ms: number): string {
  return `p(${percentile})<${ms}`;
}
