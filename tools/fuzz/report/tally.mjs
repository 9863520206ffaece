/** Counts the violations and responses of a run; the edge's own counters must match. */
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

  connection({ answer, status, cut, error }) {
    add(
      this.outcomes,
      status === undefined ? (cut ? `cut off${error ? ` (${error})` : ''}` : 'ended by us, unanswered') : `${status}`,
    );
    if (status === 101) add(this.handshakes, 'accepted');
    const code = /\{"code":"([A-Z_]+)"/.exec(answer)?.[1];
    if ((status === 400 || status === 401 || status === 403) && code !== undefined) add(this.handshakes, code);
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
