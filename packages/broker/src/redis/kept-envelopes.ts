/** Envelopes that Redis keeps for a while: a subscriber whose connection broke reads those that it missed. */
import { RedisScript } from './redis-script.js';
import type { RedisTopology } from './topology.js';

const publishKeptScript = new RedisScript(new URL('../../lua/publish-kept.lua', import.meta.url));
const probeScript = new RedisScript(new URL('../../lua/probe.lua', import.meta.url));

/** About so many are kept, and none for longer after the last one. */
export const KEPT_MAX = 10_000;
export const KEPT_TTL_MS = 600_000;

/** `0x01{"l":"<id>",…`: a kept envelope; with `L` a probe, which names the last kept one before it. */
const KEPT = 0x6c;
const PROBE = 0x4c;
const HEAD = [0x01, 0x7b, 0x22];
const ID_START = 7;
const QUOTE = 0x22;

interface Mark {
  readonly isProbe: boolean;
  readonly id: string;
}

export interface KeptEnvelope {
  readonly channel: string;
  readonly envelope: Uint8Array;
}

export class KeptEnvelopes {
  readonly #redis: RedisTopology;
  readonly #key: string;
  /** Everything kept up to here was heard, or concerned no channel of ours. */
  #heard: string | undefined;
  /** While missed ones are read: those that come live meanwhile. */
  #live: Set<string> | undefined;
  /** Given out by the last `missed`: they may still come live. */
  #replayed: ReadonlySet<string> = new Set();

  constructor(redis: RedisTopology, prefix: string) {
    this.#redis = redis;
    this.#key = `${prefix}:kept`;
    publishKeptScript.keepLoaded(redis);
    probeScript.keepLoaded(redis);
  }

  /** Whether the key was known, and nothing was published. */
  async publish(channel: string, envelope: Buffer, idempotency?: { key: string; windowMs: number }): Promise<boolean> {
    const keys = idempotency === undefined ? [this.#key] : [this.#key, idempotency.key];
    const args = [channel, envelope, KEPT_MAX, KEPT_TTL_MS, idempotency?.windowMs ?? 0];
    return (await publishKeptScript.run(this.#redis, keys, args)) === 1;
  }

  async probe(channel: string, envelope: Buffer): Promise<void> {
    await probeScript.run(this.#redis, [`${channel}:probe`, this.#key], [channel, envelope]);
  }

  /** Takes note of what the subscriber heard. Returns false for an envelope that `missed` gave out already. */
  heard(envelope: Uint8Array): boolean {
    const mark = markOf(envelope);
    if (mark === undefined) return true;
    const { isProbe, id } = mark;
    if (!isProbe && this.#replayed.has(id)) return false;
    if (this.#live !== undefined) {
      if (!isProbe) this.#live.add(id);
      return true;
    }
    // One connection hears the order of one server: a smaller id comes from another server, and counts too.
    this.#heard = id;
    if (isProbe) this.#replayed = new Set();
    return true;
  }

  /**
   * Reads the envelopes kept since the last received one, oldest first. Call it when all channels are confirmed again; a call that
   * fails is repeated, and a break meanwhile makes its answer worthless (`isCurrent`).
   */
  async missed(isCurrent: () => boolean): Promise<readonly KeptEnvelope[]> {
    const after = this.#heard;
    if (after === undefined) return []; // Nothing was heard here before the break.
    // From the first attempt on: what comes live between two attempts is not given out again.
    this.#live ??= new Set();
    const live = this.#live;
    const rows = await this.#redis.run(this.#key, server =>
      server.xrangeBuffer(this.#key, `(${after}`, '+', 'COUNT', 2 * KEPT_MAX),
    );
    if (!isCurrent()) return [];
    this.#live = undefined;
    const missed = rows
      .map(([id, fields]) => ({ id: id.toString(), channel: fields[1]?.toString() ?? '', envelope: fields[3] }))
      .filter(({ id }) => !live.has(id));
    this.#replayed = new Set(missed.map(({ id }) => id));
    this.#heard = rows.at(-1)?.[0].toString() ?? after;
    return missed.flatMap(({ channel, envelope }) => (envelope === undefined ? [] : [{ channel, envelope }]));
  }
}

function markOf(envelope: Uint8Array): Mark | undefined {
  const kind = envelope[3];
  if ((kind !== KEPT && kind !== PROBE) || HEAD.some((byte, index) => envelope[index] !== byte)) return undefined;
  if (envelope[4] !== QUOTE || envelope[6] !== QUOTE) return undefined;
  const end = envelope.indexOf(QUOTE, ID_START);
  if (end < 0) return undefined;
  return { isProbe: kind === PROBE, id: Buffer.from(envelope.subarray(ID_START, end)).toString('latin1') };
}
