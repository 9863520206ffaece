/** Compares the edge's counters of refusals with the refusals that the fuzzer saw. */
import { sumByLabel } from '@hubbub/tools/kit';

const HANDSHAKES = 'hubbub_edge_handshakes_total';
const FRAMES = 'hubbub_edge_frames_total';
const MALFORMED = 'hubbub_edge_malformed_envelopes_total';

/**
 * The edge must count at least the refusals that the fuzzer saw. It may count more: those of cut connections are invisible.
 * @param {import('@hubbub/tools/kit').Metrics} before @param {import('@hubbub/tools/kit').Metrics} after @param {import('./tally.mjs').Tally} tally
 */
export function countingProblems(before, after, tally) {
  const problems = [];
  const expectCounted = (name, label, seen) => {
    const [old, now] = [sumByLabel(before, name, label), sumByLabel(after, name, label)];
    for (const [value, count] of Object.entries(seen)) {
      const counted = (now[value] ?? 0) - (old[value] ?? 0);
      if (counted < count) problems.push(`${name}{${label}="${value}"} counted only ${counted} of ${count}`);
    }
  };
  expectCounted(HANDSHAKES, 'result', tally.handshakes);
  expectCounted(FRAMES, 'result', tally.frames);
  const malformed = (after.get(MALFORMED) ?? 0) - (before.get(MALFORMED) ?? 0);
  if (malformed < tally.malformedMessages)
    problems.push(`${MALFORMED} counted only ${malformed} of ${tally.malformedMessages} that reached the edge`);
  return problems;
}
