/** Histories on Redis: one stream and one position for each room, written by one script (docs/decisions/0002). */
import { randomBytes } from 'node:crypto';
import {
  type Appended,
  type History,
  type HistoryAppend,
  type HistoryPage,
  type HistoryQuery,
  IDEMPOTENCY_WINDOW_MS,
  POSITION_TTL_FACTOR,
} from '../history.js';
import { RedisScript } from './redis-script.js';
import type { RedisTopology } from './topology.js';
import { orOutcomeUnknown, orUnavailable } from './unavailable.js';

const appendScript = new RedisScript(new URL('../../lua/history-append.lua', import.meta.url));
const readScript = new RedisScript(new URL('../../lua/history-read.lua', import.meta.url));

export interface RedisHistoryOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
}

export class RedisHistory implements History {
  readonly #redis: RedisTopology;
  readonly #prefix: string;

  constructor({ redis, prefix }: RedisHistoryOptions) {
    this.#redis = redis;
    this.#prefix = prefix;
    appendScript.keepLoaded(redis);
    readScript.keepLoaded(redis);
  }

  async append({ room, channel, envelope, idempotencyKey, size, ttlMs, known }: HistoryAppend): Promise<Appended> {
    const keys = [this.#key(room, 'meta'), this.#key(room, 'stream')];
    if (idempotencyKey !== undefined) keys.push(this.#key(room, `id:${idempotencyKey}`));
    const bytes = Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength);
    const times = [ttlMs, ttlMs * POSITION_TTL_FACTOR, newEpoch(), IDEMPOTENCY_WINDOW_MS];
    const args = [channel, bytes, size, ...times, known?.epoch ?? '', known?.offset ?? 0];
    const reply = await orOutcomeUnknown(() => appendScript.run(this.#redis, keys, args));
    const [epoch, offset, repeated] = reply as [string, number, number];
    return { epoch, offset, repeated: repeated === 1 };
  }

  async read({
    room,
    ttlMs,
    after = 0,
    before,
    limit,
    from = 'oldest',
    maxBytes,
    known,
  }: HistoryQuery): Promise<HistoryPage> {
    const first = `${after + 1}-0`;
    const last = before === undefined ? '+' : `${Math.max(0, before - 1)}-0`;
    const epochAndTtl = [newEpoch(), ttlMs * POSITION_TTL_FACTOR];
    const args = [...epochAndTtl, first, last, limit, from, known?.epoch ?? '', known?.offset ?? 0, maxBytes ?? 0];
    const keys = [this.#key(room, 'meta'), this.#key(room, 'stream')];
    const reply = await orUnavailable(() => readScript.runForBytes(this.#redis, keys, args));
    const [epoch, offset, found, tooLargeBelow] = reply as [Buffer, number, [id: Buffer, fields: Buffer[]][], number?];
    const entries = found.map(([id, fields]) => ({
      offset: Number.parseInt(id.toString(), 10),
      envelope: fields[1] ?? new Uint8Array(0),
    }));
    return {
      epoch: epoch.toString(),
      offset,
      entries: from === 'newest' ? entries.reverse() : entries,
      ...(tooLargeBelow !== undefined && { tooLargeBelow }),
    };
  }

  #key(room: string, name: string): string {
    return `${this.#prefix}:history:{${room}}:${name}`;
  }
}

/** 72 random bits: an epoch never repeats. JSON and Lua need no escape for it. */
function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}
