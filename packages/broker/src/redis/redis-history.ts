/** Histories on Redis: one stream and one position for each room, written by one script (docs/decisions/0002). */
import { HubbubError, type Position } from '@hubbub/protocol';
import type { Redis } from 'ioredis';
import {
  type AcknowledgedLoss,
  type Appended,
  type History,
  type HistoryAppend,
  type HistoryPage,
  type HistoryQuery,
  IDEMPOTENCY_WINDOW_MS,
  newEpoch,
  POSITION_TTL_FACTOR,
} from '../history.js';
import { AcknowledgedAppends } from './acknowledged-appends.js';
import { RedisScript } from './redis-script.js';
import { ReplicaWait, type WaitOutcome } from './replica-wait.js';
import type { RedisTopology } from './topology.js';
import { orOutcomeUnknown, orUnavailable } from './unavailable.js';

const positionFile = new URL('../../lua/history-position.lua', import.meta.url);
const appendScript = new RedisScript(positionFile, new URL('../../lua/history-append.lua', import.meta.url));
const readScript = new RedisScript(positionFile, new URL('../../lua/history-read.lua', import.meta.url));

const DURABLE_TIMEOUT_MS = 1000;

export interface RedisHistoryOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  /** How long an append waits for a replica, where it is durable. Default 1,000. */
  readonly durableTimeoutMs?: number | undefined;
  /** Called after each wait for a replica. */
  readonly onDurableWait?: ((outcome: WaitOutcome) => void) | undefined;
  /** Called for each room of which Redis has lost an append of this process; see {@link AcknowledgedAppends}. */
  readonly onAcknowledgedLoss?: ((loss: AcknowledgedLoss) => void) | undefined;
}

type ReadReply = [
  epoch: Buffer,
  offset: number,
  [id: Buffer, fields: Buffer[]][],
  bridges: Buffer,
  tooLargeBelow?: number,
];

export class RedisHistory implements History {
  readonly #redis: RedisTopology;
  readonly #prefix: string;
  readonly #acknowledged: AcknowledgedAppends;
  /** By the connection that executes appends. */
  readonly #replicas = new WeakMap<Redis, ReplicaWait>();

  constructor(options: RedisHistoryOptions) {
    const { redis, prefix, onAcknowledgedLoss = () => {}, onDurableWait = () => {} } = options;
    const waiting = { timeoutMs: options.durableTimeoutMs ?? DURABLE_TIMEOUT_MS, onOutcome: onDurableWait };
    this.#redis = redis;
    this.#prefix = prefix;
    this.#acknowledged = new AcknowledgedAppends(this, { isClosed: () => redis.isClosed, onLoss: onAcknowledgedLoss });
    redis.onShard(shard => {
      const { commands, term } = shard;
      this.#replicas.set(commands, new ReplicaWait(shard, waiting));
      term.onChange(() => void this.#acknowledged.check());
      commands.on('close', () => this.#acknowledged.hold());
    });
    redis.onMove(() => void this.#acknowledged.check());
    appendScript.keepLoaded(redis);
    readScript.keepLoaded(redis);
  }

  async append(append: HistoryAppend): Promise<Appended> {
    const { room, channel, envelope, idempotencyKey, size, ttlMs, known, durable = false } = append;
    const keys = [this.#key(room, 'meta'), this.#key(room, 'stream')];
    if (idempotencyKey !== undefined) keys.push(this.#key(room, `id:${idempotencyKey}`));
    const bytes = Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength);
    const { term } = this.#redis.shardOf(this.#key(room, 'meta'));
    const knownTerm = term.current;
    const args = [...positionArgs(knownTerm, ttlMs, known), channel, bytes, size, ttlMs, IDEMPOTENCY_WINDOW_MS];
    let server: Redis | undefined;
    const onAttempt = (attempt: Redis): void => {
      server = attempt;
    };
    const reply = await orOutcomeUnknown(() => appendScript.run(this.#redis, keys, args, onAttempt));
    const [epoch, offset, repeated] = reply as [string, number, number];
    if (durable) await this.#untilReplicated(room, ttlMs, knownTerm, server);
    this.#acknowledged.add({ room, epoch, offset, ttlMs });
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
    const { term } = this.#redis.shardOf(this.#key(room, 'meta'));
    const args = [...positionArgs(term.current, ttlMs, known), first, last, limit, from, maxBytes ?? 0];
    const keys = [this.#key(room, 'meta'), this.#key(room, 'stream')];
    const reply = await orUnavailable(() => readScript.runForBytes(this.#redis, keys, args));
    const [epoch, offset, found, bridges, tooLargeBelow] = reply as ReadReply;
    const entries = found.map(([id, fields]) => ({
      offset: Number.parseInt(id.toString(), 10),
      envelope: fields[1] ?? new Uint8Array(0),
    }));
    return {
      epoch: epoch.toString(),
      offset,
      entries: from === 'newest' ? entries.reverse() : entries,
      bridges: readBridges(bridges),
      ...(tooLargeBelow !== undefined && { tooLargeBelow }),
    };
  }

  /** @param server that executed the append; a command of a moving slot is on a connection without a wait */
  async #untilReplicated(room: string, ttlMs: number, term: string, server: Redis | undefined): Promise<void> {
    const wait = server && this.#replicas.get(server);
    const write = { key: this.#key(room, 'meta'), ttlMs: ttlMs * POSITION_TTL_FACTOR, term };
    if (await wait?.confirm(write)) return;
    throw new HubbubError('OUTCOME_UNKNOWN', 'No replica has confirmed the message; it is lost if the primary fails.');
  }

  #key(room: string, name: string): string {
    return `${this.#prefix}:history:{${room}}:${name}`;
  }
}

/** Of history-position.lua. */
function positionArgs(term: string, ttlMs: number, known: Position | undefined): (string | number)[] {
  return [newEpoch(), term, known?.epoch ?? '', known?.offset ?? 0, ttlMs * POSITION_TTL_FACTOR];
}

const NO_BRIDGES: readonly Position[] = [];

function readBridges(json: Buffer): readonly Position[] {
  if (json.length <= 2) return NO_BRIDGES;
  return (JSON.parse(json.toString()) as [string, number][]).map(([epoch, offset]) => ({ epoch, offset }));
}
