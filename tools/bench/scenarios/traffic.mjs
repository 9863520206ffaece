/** Common to scenarios that send messages at rising rates: their measures, and the time limit of a turn. */

export const TRAFFIC_MEASURES = [
  'deliveriesPerSecond',
  'p50Ms',
  'p99Ms',
  'p999Ms',
  'relayCpu',
  'relayCpuUsPerDelivery',
  'loadCpu',
  'othersCpu',
];

/** For messages of clients, which get an ack. */
export const TALK_MEASURES = [
  'deliveriesPerSecond',
  'p50Ms',
  'p99Ms',
  'ackP50Ms',
  'ackP99Ms',
  'relayCpu',
  'relayCpuUsPerDelivery',
  'redisCpu',
  'loadCpu',
  'othersCpu',
];

/** A round before the first: loads all files, and shows that everything works. */
export const TRAFFIC_WARM_UP = { seconds: 1, patience: 0 };
export const TRAFFIC_QUICK = { rounds: 1, seconds: 1, patience: 0 };

/** Starting, connecting and ending. */
const OVERHEAD_S = 60;
/** Per rate, beside its window and the wait for a quiet machine: settling, and late messages. */
const RATE_OVERHEAD_S = 30;

/** Seconds that a turn takes at most: each rate is repeated once at most. */
export function trafficTurnSeconds({ rates, seconds, patience }) {
  return OVERHEAD_S + 2 * rates.length * (seconds + patience + RATE_OVERHEAD_S);
}
