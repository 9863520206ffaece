/**
 * Assigns a kind to each input, and inputs to lanes. The plan is a pure function of the seed.
 * Each lane works at its own pace, but not far ahead of the others, so that the mixture stays constant.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { KINDS } from '../inputs/catalogue.mjs';
import { Random } from '../random.mjs';

/** Inputs that a lane may be ahead of the slowest. */
const AHEAD_MAX = 4000;
const LOOK_AGAIN_MS = 2;

export class Plan {
  /** Inputs done, by the kind's place in the catalogue. */
  done = KINDS.map(() => 0);
  stopped = false;
  #seed;
  #first;
  #kinds;
  #cursors = new Map();

  /** @param {{ seed: number, inputs: number, lanes: readonly string[], only?: number, from?: number }} options `only`: this one input */
  constructor({ seed, inputs, lanes, only, from = 0 }) {
    this.#seed = seed;
    this.#first = only ?? from;
    const usable = KINDS.flatMap(({ lane, share }, kind) => (lanes.includes(lane) ? Array(share).fill(kind) : []));
    this.#kinds = Uint8Array.from({ length: inputs }, (_, i) => new Random(seed, i).pick(usable));
    for (const lane of lanes) this.#cursors.set(lane, this.#first);
    if (only !== undefined) this.#kinds = this.#kinds.subarray(0, only + 1);
  }

  get inputs() {
    return this.#kinds.length - this.#first;
  }

  /** Range of the current inputs, from the slowest lane's to the fastest's. */
  get thrown() {
    const cursors = [...this.#cursors.values()];
    return { from: Math.min(...cursors), to: Math.max(...cursors) };
  }

  get doneInputs() {
    return this.done.reduce((sum, count) => sum + count, 0);
  }

  /**
   * Returns the next input of a lane once the other lanes are close; `undefined` after the last one.
   * @param {string} lane @returns {Promise<{ number: number, kind: number, input: any } | undefined>}
   */
  async next(lane) {
    for (;;) {
      if (this.stopped) return undefined;
      const at = this.#advance(lane);
      if (at >= this.#kinds.length) return undefined;
      if (at - Math.min(...this.#cursors.values()) <= AHEAD_MAX) {
        this.#cursors.set(lane, at + 1);
        return this.#input(at);
      }
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** Returns a plan of the first inputs of one kind. @param {number} kind @param {number} count */
  ofKind(kind, count) {
    let at = this.#first - 1;
    let left = count;
    return {
      next: async lane => {
        if (left === 0 || lane !== KINDS[kind].lane) return undefined;
        at = this.#kinds.indexOf(kind, at + 1);
        left = at < 0 ? 0 : left - 1;
        return at < 0 ? undefined : this.#input(at);
      },
      finished() {},
    };
  }

  /** @param {{ kind: number }} planned */
  finished({ kind }) {
    this.done[kind]++;
  }

  #input(number) {
    const random = new Random(this.#seed, number);
    random.next(); // Skips the number that chose the kind.
    return { number, kind: this.#kinds[number], input: KINDS[this.#kinds[number]].make(random) };
  }

  #advance(lane) {
    let at = this.#cursors.get(lane);
    while (at < this.#kinds.length && KINDS[this.#kinds[at]].lane !== lane) at++;
    this.#cursors.set(lane, at);
    return at;
  }
}
