/** The frames that a client received: each is kept and taken once, and a missing one is explained. */
import type { Frame } from '@hubbub/protocol';
import { describeMatch, type Match, matches } from '@hubbub/tools/kit';

const FRAMES_SHOWN = 20;

interface Waiting {
  readonly match: Match<Frame>;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

export class Inbox {
  /** Every frame ever received. */
  readonly all: Frame[] = [];
  readonly #untaken: Frame[] = [];
  readonly #waiting: Waiting[] = [];
  #end: string | undefined;

  constructor(readonly owner: string) {}

  add(frame: Frame): void {
    this.all.push(frame);
    const index = this.#waiting.findIndex(({ match }) => matches(frame, match));
    const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (waiting) waiting.resolve(frame);
    else this.#untaken.push(frame);
  }

  /** Ends the inbox: rejects all waiting calls with the reason. */
  end(why: string): void {
    this.#end = why;
    for (const { match, reject } of this.#waiting.splice(0)) reject(this.#missing(match, `but ${why}`));
  }

  /** The oldest untaken frame that matches, now or within `withinMs`. */
  take(match: Match<Frame>, withinMs: number): Promise<Frame> {
    const index = this.#untaken.findIndex(frame => matches(frame, match));
    const [frame] = index < 0 ? [] : this.#untaken.splice(index, 1);
    if (frame) return Promise.resolve(frame);
    if (this.#end !== undefined) return Promise.reject(this.#missing(match, `but ${this.#end}`));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        match,
        resolve: frame => {
          clearTimeout(timer);
          resolve(frame);
        },
        reject: error => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(this.#missing(match, `within ${withinMs} ms`));
      }, withinMs);
      this.#waiting.push(waiting);
    });
  }

  /** @throws {Error} if a matching frame arrived and was not taken. */
  expectNone(match: Match<Frame>): void {
    const unexpected = this.#untaken.filter(frame => matches(frame, match));
    if (unexpected.length === 0) return;
    throw new Error(`${this.owner} expected no ${describeMatch(match)}, but got:\n${list(unexpected)}`);
  }

  #missing(match: Match<Frame>, circumstance: string): Error {
    const untaken = this.#untaken.length === 0 ? ' nothing.' : `\n${list(this.#untaken)}`;
    return new Error(
      `${this.owner} expected ${describeMatch(match)} ${circumstance}. Of ${this.all.length} frames received, not yet taken:${untaken}`,
    );
  }
}

function list(frames: readonly Frame[]): string {
  const shown = frames.slice(-FRAMES_SHOWN).map(frame => `  ${JSON.stringify(frame)}`);
  if (frames.length > FRAMES_SHOWN) shown.unshift(`  … ${frames.length - FRAMES_SHOWN} earlier ones`);
  return shown.join('\n');
}
