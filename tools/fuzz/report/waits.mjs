/**
 * Finds the inputs that made a bystander wait. A long wait alone proves nothing, because the flood and other processes delay
 * messages too. The inputs of that moment are sent again, few at a time, and only a repeated wait counts.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Allowed increase over the longest wait without inputs. */
const ADDED_WAIT_MAX_MS = 250;
const SAMPLE_EVERY_MS = 50;
/** Moments to repeat, the longest waits first. */
const MOMENTS_MAX = 3;
/** A pause of the machine does not repeat this often at the same inputs. */
const REPEATS = 4;
/** After the last input, for a wait that has not ended. */
const LAST_WAIT_MS = 1000;

export class Waits {
  #bystanders;
  #limitMs;
  /** @type {{ atMs: number, from: number, to: number }[]} inputs in flight, by time */
  #thrown = [];
  #timer;

  /** Measures the baseline; call it before the first input. */
  static async begin(plan, bystanders) {
    const limitMs = (await bystanders.baselineMs()) + ADDED_WAIT_MAX_MS;
    await bystanders.watchWaits(limitMs);
    return new Waits(plan, bystanders, limitMs);
  }

  constructor(plan, bystanders, limitMs) {
    this.#bystanders = bystanders;
    this.#limitMs = limitMs;
    const sample = () => this.#thrown.push({ atMs: performance.timeOrigin + performance.now(), ...plan.thrown });
    sample();
    this.#timer = setInterval(sample, SAMPLE_EVERY_MS);
  }

  /**
   * Call it after the last input, while the narrator still sends.
   * @param {(range: { from: number, to: number }) => Promise<void>} throwAgain sends inputs `from` to `to` again, few at a time
   * @returns {Promise<{ limitMs: number, longWaits: number, problems: string[] }>}
   */
  async end(throwAgain) {
    clearInterval(this.#timer);
    await sleep(LAST_WAIT_MS);
    const { longWaits } = await this.#bystanders.figures();
    const problems = [];
    for (const { from, to } of this.#longestMoments(longWaits)) {
      const repeatedMs = await this.#repeat({ from, to }, throwAgain);
      if (repeatedMs !== undefined)
        problems.push(
          `bystanders: inputs ${from} to ${to} delay a message by ${repeatedMs.toFixed(0)} ms each time (--from ${from} --inputs ${to}); the limit is ${this.#limitMs.toFixed(0)} ms`,
        );
    }
    return { limitMs: this.#limitMs, longWaits: longWaits.length, problems };
  }

  /**
   * Sends the inputs again several times, each time followed by an equally long pause. The pause shows the machine's own delay.
   * @returns {Promise<number | undefined>} the shortest of the longest waits; `undefined` if one repetition was as fast as its pause
   */
  async #repeat(range, throwAgain) {
    let shortest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < REPEATS; i++) {
      const beganAtMs = performance.now();
      const loudMs = await this.#longestWaitMs(() => throwAgain(range));
      const quietMs = await this.#longestWaitMs(() => sleep(performance.now() - beganAtMs));
      if (loudMs <= quietMs + ADDED_WAIT_MAX_MS) return undefined;
      shortest = Math.min(shortest, loudMs);
    }
    return shortest;
  }

  async #longestWaitMs(work) {
    await this.#bystanders.watchWaits(0);
    await work();
    await sleep(LAST_WAIT_MS);
    const { longWaits } = await this.#bystanders.figures();
    return Math.max(0, ...longWaits.map(({ waitMs }) => waitMs));
  }

  /** Returns ranges of inputs, the longest waits first; waits of one moment share a range. */
  #longestMoments(longWaits) {
    const moments = [];
    for (const { endedAtMs, waitMs } of longWaits.toSorted((a, b) => b.waitMs - a.waitMs)) {
      const before = this.#thrown.findLast(({ atMs }) => atMs < endedAtMs - waitMs) ?? this.#thrown[0];
      const after = this.#thrown.find(({ atMs }) => atMs > endedAtMs) ?? this.#thrown.at(-1);
      const range = { from: before.from, to: after.to + 1 };
      if (moments.every(({ from, to }) => range.from >= to || range.to <= from)) moments.push(range);
      if (moments.length === MOMENTS_MAX) break;
    }
    return moments;
  }
}
