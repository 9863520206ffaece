/** Whether the edge counted what it refused: its counters against what was seen from outside. */
import { byLabel } from '../target/metrics.mjs';

const HANDSHAKES = 'hubbub_edge_handshakes_total';
const FRAMES = 'hubbub_edge_frames_total';
const MALFORMED = 'hubbub_edge_malformed_envelopes_total';

/**
 * At least as many as were seen: of connections that were cut in the middle nobody outside knows whether they were counted.
 * @param {import('../target/metrics.mjs').Metrics} before @param {import('../target/metrics.mjs').Metrics} after @param {import('./tally.mjs').Tally} tally
 */
export function countingProblems(before, after, tally) {
  const problems = [];
  const expectCounted = (name, label, seen) => {
    const [old, now] = [byLabel(before, name, label), byLabel(after, name, label)];
    for (const [value, count] of Object.entries(seen)) {
      const counted = (now[value] ?? 0) - (old[value] ?? 0);
      if (counted < count) problems.push(`${name}{${label}="${value}"} counted ${counted}, and ${count} were seen`);
    }
  };
  expectCounted(HANDSHAKES, 'result', tally.handshakes);
  expectCounted(FRAMES, 'result', tally.frames);
  const malformed = (after.get(MALFORMED) ?? 0) - (before.get(MALFORMED) ?? 0);
  if (malformed < tally.malformedMessages)
    problems.push(`${MALFORMED} counted ${malformed}, and ${tally.malformedMessages} reached the edge`);
  return problems;
}
