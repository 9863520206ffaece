/** Measures whether the time of a parser grows with the length of its input, or faster. */

export interface Growth {
  /** `too fast`: the long input took next to no time for each character, as where the parser stops at a bound. */
  readonly verdict: 'linear' | 'too fast' | 'steeper' | 'not measured';
  /** Length of the short input. */
  readonly length: number;
  /** Medians, in milliseconds: of one short input, and of one that is ten times as long. */
  readonly shortMs: number;
  readonly longMs: number;
}

const FACTOR = 10;
/** Ten times the length may cost fifteen times the time: caches, and the noise of a busy machine. */
export const MAX_RATIO = 15;
const SHORTEST = 500;
const LONGEST_SHORT = 16_000;
/** Ten runs this long are far above the clock's resolution. */
const MEASURABLE_MS = 0.02;
const ROUNDS = 3;
const ATTEMPTS = 4;
/** Steeper growth than linear takes hundreds of times as long for a character of the long input. */
const TOO_FAST_NS_PER_CHARACTER = 20;
/** A median this far above the fastest run means that other programs used the machine. */
const STARVED = 4;

/**
 * Compares one input with ten of a tenth of its length: both are as many bytes, make as much garbage, and take turns. A
 * suspicious ratio is measured again, with more turns: what only the machine's load made steep is not steep every time.
 */
export function measureGrowth<Input>(parse: (input: Input) => unknown, inputOf: (length: number) => Input): Growth {
  const length = measurableLength(parse, inputOf);
  const short = inputOf(length);
  const long = inputOf(length * FACTOR);
  let last: Growth | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const growth = compare(parse, short, long, length, ROUNDS * attempt ** 2);
    if (growth.verdict !== 'steeper' && growth.verdict !== 'not measured') return growth;
    last = growth;
  }
  return last as Growth;
}

function measurableLength<Input>(parse: (input: Input) => unknown, inputOf: (length: number) => Input): number {
  let length = SHORTEST;
  for (; length < LONGEST_SHORT; length *= 2) {
    const input = inputOf(length);
    if (Math.min(run(parse, input, 1), run(parse, input, 1)) >= MEASURABLE_MS) break;
  }
  return length;
}

function compare<Input>(
  parse: (input: Input) => unknown,
  short: Input,
  long: Input,
  length: number,
  rounds: number,
): Growth {
  const shortRuns: number[] = [];
  const longRuns: number[] = [];
  for (let round = 0; round < rounds; round++) {
    shortRuns.push(run(parse, short, FACTOR) / FACTOR);
    longRuns.push(run(parse, long, 1));
  }
  const found = { length, shortMs: median(shortRuns), longMs: median(longRuns) };
  const nsPerCharacter = (found.longMs * 1e6) / (length * FACTOR);
  if (nsPerCharacter < TOO_FAST_NS_PER_CHARACTER) return { ...found, verdict: 'too fast' };
  if (found.longMs <= found.shortMs * MAX_RATIO) return { ...found, verdict: 'linear' };
  const isStarved = found.longMs > Math.min(...longRuns) * STARVED;
  return { ...found, verdict: isStarved ? 'not measured' : 'steeper' };
}

/** Milliseconds for so many calls. */
function run<Input>(parse: (input: Input) => unknown, input: Input, times: number): number {
  const beganAtMs = performance.now();
  for (let call = 0; call < times; call++) {
    try {
      const result = parse(input);
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // A refusal is an answer; only its time counts.
    }
  }
  return performance.now() - beganAtMs;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
