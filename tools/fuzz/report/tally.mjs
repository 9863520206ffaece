/** Counts the violations and responses of a run; the edge's own counters must match. */
import { sumByLabel } from '@hubbub/tools/kit';
import { KINDS } from '../inputs/catalogue.mjs';

const VIOLATIONS_KEPT = 50;

export class Tally {
  /** The first ones, with the number that replays each. @type {{ input: number, kind: string, problem: string }[]} */
  violations = [];
  violationCount = 0;
  /** Connections by outcome. @type {Record<string, number>} */
  outcomes = {};
  /** Upgrades that the edge answered, by the result that it counts. @type {Record<string, number>} */
  handshakes = {};
  /** Errors that answered frames, by code. @type {Record<string, number>} */
  frames = {};
  /** Malformed messages that reached the edge, and unreadable frames that it forwarded. */
  malformedMessages = 0;
  garbageFrames = 0;

  violation({ number, kind }, problem) {
    this.violationCount++;
    if (this.violations.length < VIOLATIONS_KEPT)
      this.violations.push({ input: number, kind: KINDS[kind].name, problem });
  }

  /** @param {{ expect: string }} input of the connection */
  connection({ answer, status, cut, error }, { expect }) {
    add(
      this.outcomes,
      status === undefined ? (cut ? `cut off${error ? ` (${error})` : ''}` : 'ended by us, unanswered') : `${status}`,
    );
    if (status === 101) add(this.handshakes, 'accepted');
    const code = /\{"code":"([A-Z_]+)"/.exec(answer)?.[1];
    // In development the edge explains a refusal to a plain GET, which is not a handshake; only these inputs surely are.
    if (expect === 'status' && code !== undefined) add(this.handshakes, code);
  }

  refusedFrame(code) {
    add(this.frames, code);
  }

  malformed() {
    this.malformedMessages++;
  }

  garbage() {
    this.garbageFrames++;
  }
}

function add(counts, name) {
  counts[name] = (counts[name] ?? 0) + 1;
}

const HANDSHAKES = 'hubbub_edge_handshakes_total';
const FRAMES = 'hubbub_edge_frames_total';
const MALFORMED = 'hubbub_edge_malformed_envelopes_total';

/**
 * The edge must count at least the refusals that the fuzzer saw. It may count more: those of cut connections are invisible.
 * @param {import('@hubbub/tools/kit').Metrics} before @param {import('@hubbub/tools/kit').Metrics} after @param {Tally} tally
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
