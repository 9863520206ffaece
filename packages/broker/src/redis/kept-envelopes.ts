/** Envelopes that Redis keeps for a while: a subscriber whose connection broke reads those that it missed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { IDEMPOTENCY_WINDOW_MS } from '../history.js';
import { channelKey } from './channel-key.js';
import { RedisScript } from './redis-script.js';
import type { RedisTopology } from './topology.js';

const publishOnceScript = new RedisScript(new URL('../../lua/publish-once.lua', import.meta.url));
const publishKeptScript = new RedisScript(new URL('../../lua/publish-kept.lua', import.meta.url));
const probeScript = new RedisScript(new URL('../../lua/probe.lua', import.meta.url));

/** Redis keeps about so many for each channel, and none for longer after the last one. */
const KEPT_MAX = 10_000;
const KEPT_TTL_MS = 600_000;

/** `0x01{"l":"<id>",…`: a kept envelope; with `L` a probe, which names the time before which everything was published. */
const KEPT = 0x6c;
const PROBE = 0x4c;
const HEAD = [0x01, 0x7b, 0x22];
const ID_START = 7;
const QUOTE = 0x22;
/** Between two attempts to read missed envelopes. */
const RETRY_MS = 250;

/** Publishes the envelope unless the key is known on the channel. Returns true if it was, and nothing was published. */
export async function publishOnce(
  redis: RedisTopology,
  channel: string,
  envelope: Buffer,
  { key, windowMs }: { readonly key: string; readonly windowMs: number },
): Promise<boolean> {
  const keys = [channelKey(channel, `id:${key}`)];
  return (await publishOnceScript.run(redis, keys, [channel, envelope, windowMs])) === 1;
}

/** Publishes the envelope and keeps it. Returns true if the key was known, and nothing was published. */
export async function publishKept(
  redis: RedisTopology,
  channel: string,
  envelope: Buffer,
  idempotencyKey?: string,
): Promise<boolean> {
  const keys = [channelKey(channel, 'kept')];
  if (idempotencyKey !== undefined) keys.push(channelKey(channel, `id:${idempotencyKey}`));
  const args = [channel, envelope, KEPT_MAX, KEPT_TTL_MS, IDEMPOTENCY_WINDOW_MS];
  return (await publishKeptScript.run(redis, keys, args)) === 1;
}

/** Publishes the envelope if Redis takes writes. */
export async function publishProbe(redis: RedisTopology, channel: string, envelope: Buffer): Promise<void> {
  await probeScript.run(redis, [channelKey(channel, 'probe')], [channel, envelope]);
}

/** Loads the scripts on each connection. */
export function keepScriptsLoaded(redis: RedisTopology): void {
  publishOnceScript.keepLoaded(redis);
  publishKeptScript.keepLoaded(redis);
  probeScript.keepLoaded(redis);
}

export interface KeptEnvelope {
  readonly channel: string;
  readonly envelope: Uint8Array;
}
type MissedEnvelope = KeptEnvelope & { readonly id: string };
type StreamRow = readonly [id: Buffer, fields: readonly Buffer[]];

/** A received id is remembered for this long after a later probe: clocks of two servers may differ by less. */
const REMEMBERED_MS = 60_000;

/** Knows the kept envelopes that this process received, and reads those that it missed. */
export class ReceivedEnvelopes {
  /** Shard → everything that it kept up to here was received, or was published before the subscription. */
  readonly #probed = new Map<string, string>();
  /** Channel → the last received one. */
  readonly #last = new Map<string, string>();
  /** Channel → those that arrived since its break, until the missed ones are read. */
  readonly #sinceBreak = new Map<string, Set<string>>();
  readonly #reads = new Set<{ readonly shard: string }>();

  /**
   * Records what was received from a shard. Returns false for an envelope that `missed` returned already.
   * @param isBroken the channel is confirmed again after a break, and `missed` was not called yet
   */
  take(shard: string, channel: string, envelope: Uint8Array, isBroken: boolean): boolean {
    const mark = markOf(envelope);
    if (mark === undefined) return true;
    const { isProbe, id } = mark;
    if (isProbe) {
      if (!isBroken && !this.#isRead(shard)) this.#probedAt(shard, id);
      return true;
    }
    if (isBroken) this.#expectMissed(channel);
    const sinceBreak = this.#sinceBreak.get(channel);
    if (sinceBreak !== undefined) {
      sinceBreak.add(id);
      return true;
    }
    const last = this.#last.get(channel);
    if (last !== undefined && !isAfter(id, last)) return false;
    this.#last.set(channel, id);
    return true;
  }

  /** The channel is not subscribed any more. */
  forget(channel: string): void {
    this.#sinceBreak.delete(channel);
  }

  /**
   * Reads the envelopes that these channels missed, oldest first. Call it when they are confirmed again; a break meanwhile
   * makes its result worthless (`isCurrent`), and the call after that break returns them.
   * @param shard where the channels were subscribed before
   */
  async missed(
    redis: RedisTopology,
    shard: string,
    channels: readonly string[],
    isCurrent: () => boolean,
  ): Promise<readonly KeptEnvelope[]> {
    for (const channel of channels) this.#expectMissed(channel);
    const read = { shard };
    this.#reads.add(read);
    try {
      const probed = this.#probed.get(shard);
      // Without a probe, nothing was received from there before the break.
      const found = probed === undefined ? [] : await this.#read(redis, channels, probed, isCurrent);
      if (!isCurrent()) return [];
      const missed = found.flatMap(({ channel, rows }) => this.#without(channel, rows));
      for (const channel of channels) this.#repaired(channel);
      // Ids of two channels may be equal: their order is unknown then.
      return missed.sort((a, b) => Number(isAfter(a.id, b.id)) - Number(isAfter(b.id, a.id)));
    } finally {
      this.#reads.delete(read);
    }
  }

  #isRead(shard: string): boolean {
    return [...this.#reads].some(read => read.shard === shard);
  }

  #probedAt(shard: string, id: string): void {
    this.#probed.set(shard, id);
    for (const [channel, last] of this.#last) if (msOf(last) + REMEMBERED_MS < msOf(id)) this.#last.delete(channel);
  }

  #expectMissed(channel: string): void {
    if (!this.#sinceBreak.has(channel)) this.#sinceBreak.set(channel, new Set());
  }

  /** Those of the rows that did not arrive by themselves since the break. */
  #without(channel: string, rows: readonly StreamRow[]): readonly MissedEnvelope[] {
    const arrived = this.#sinceBreak.get(channel);
    return rows.flatMap(([bytes, [, envelope]]) => {
      const id = bytes.toString();
      this.#last.set(channel, id);
      return envelope === undefined || arrived?.has(id) ? [] : [{ channel, envelope, id }];
    });
  }

  #repaired(channel: string): void {
    for (const id of this.#sinceBreak.get(channel) ?? []) {
      const last = this.#last.get(channel);
      if (last === undefined || isAfter(id, last)) this.#last.set(channel, id);
    }
    this.#sinceBreak.delete(channel);
  }

  /** Retries until it succeeds: what arrives between two attempts is not returned again. */
  async #read(redis: RedisTopology, channels: readonly string[], probed: string, isCurrent: () => boolean) {
    for (;;) {
      try {
        return await Promise.all(
          channels.map(async channel => {
            const key = channelKey(channel, 'kept');
            const last = this.#last.get(channel);
            const after = last !== undefined && isAfter(last, probed) ? last : probed;
            return { channel, rows: await redis.run(key, server => server.xrangeBuffer(key, `(${after}`, '+')) };
          }),
        );
      } catch {
        if (!isCurrent()) return [];
        await sleep(RETRY_MS); // The connection for commands is not back yet.
      }
    }
  }
}

function msOf(id: string): number {
  return partsOf(id)[0];
}

/** Compares the ids of stream entries, `<ms>-<number>`. */
function isAfter(id: string, other: string): boolean {
  const [ms, number] = partsOf(id);
  const [otherMs, otherNumber] = partsOf(other);
  return ms > otherMs || (ms === otherMs && number > otherNumber);
}

function partsOf(id: string): [ms: number, number: number] {
  const dash = id.indexOf('-');
  return [Number(id.slice(0, dash)), Number(id.slice(dash + 1))];
}

function markOf(envelope: Uint8Array): { readonly isProbe: boolean; readonly id: string } | undefined {
  const kind = envelope[3];
  if ((kind !== KEPT && kind !== PROBE) || HEAD.some((byte, index) => envelope[index] !== byte)) return undefined;
  if (envelope[4] !== QUOTE || envelope[6] !== QUOTE) return undefined;
  const end = envelope.indexOf(QUOTE, ID_START);
  if (end < 0) return undefined;
  return { isProbe: kind === PROBE, id: Buffer.from(envelope.subarray(ID_START, end)).toString('latin1') };
}
