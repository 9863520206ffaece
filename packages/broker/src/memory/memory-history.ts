/** Histories within one process, under the same guarantees as on Redis. */
import { type Position, positionEnvelope } from '@hubbub/protocol';
import {
  type Appended,
  BRIDGES_MAX,
  type History,
  type HistoryAppend,
  type HistoryEntry,
  type HistoryPage,
  type HistoryQuery,
  IDEMPOTENCY_WINDOW_MS,
  locate,
  newEpoch,
  POSITION_TTL_FACTOR,
} from '../history.js';
import type { MemoryExchange } from './memory-broker.js';

interface RoomHistory {
  epoch: string;
  offset: number;
  bridges: readonly Position[];
  entries: HistoryEntry[];
  readonly answers: Map<string, { position: Position; expiresAtMs: number }>;
  entriesExpireAtMs: number;
  expiresAtMs: number;
}

const SWEEP_INTERVAL_MS = 10_000;

export class MemoryHistory implements History {
  readonly #exchange: MemoryExchange;
  readonly #rooms = new Map<string, RoomHistory>();
  #sweptAtMs = Date.now();

  constructor(exchange: MemoryExchange) {
    this.#exchange = exchange;
  }

  async append({ room, channel, envelope, idempotencyKey, size, ttlMs, known }: HistoryAppend): Promise<Appended> {
    const now = Date.now();
    const history = this.#openAt(known, room, ttlMs, now);
    const answer = idempotencyKey === undefined ? undefined : history.answers.get(idempotencyKey);
    if (answer !== undefined && answer.expiresAtMs > now) {
      return { ...(locate(answer.position, history) ?? answer.position), repeated: true };
    }
    history.offset++;
    const position = { epoch: history.epoch, offset: history.offset };
    const positioned = positionEnvelope(envelope, position);
    history.entries.push({ offset: position.offset, envelope: positioned });
    if (history.entries.length > size) history.entries = history.entries.slice(-size);
    history.entriesExpireAtMs = now + ttlMs;
    if (idempotencyKey !== undefined) {
      history.answers.set(idempotencyKey, { position, expiresAtMs: now + IDEMPOTENCY_WINDOW_MS });
    }
    this.#exchange.enqueue(channel, positioned);
    return { ...position, repeated: false };
  }

  async read({ room, ttlMs, after = 0, before, limit, from, maxBytes, known }: HistoryQuery): Promise<HistoryPage> {
    const now = Date.now();
    const history = this.#openAt(known, room, ttlMs, now);
    const wanted = history.entries.filter(({ offset }) => offset > after && (before === undefined || offset < before));
    const entries = from === 'newest' ? wanted.slice(Math.max(0, wanted.length - limit)) : wanted.slice(0, limit);
    const position = { epoch: history.epoch, offset: history.offset, bridges: history.bridges };
    const tooLargeBelow = maxBytes === undefined ? undefined : newestBeyond(maxBytes, entries);
    return tooLargeBelow === undefined ? { ...position, entries } : { ...position, entries: [], tooLargeBelow };
  }

  /** The room's history; in a new epoch when it does not reach a known position. */
  #openAt(known: Position | undefined, room: string, ttlMs: number, now: number): RoomHistory {
    const history = this.#open(room, ttlMs, now);
    const { epoch, offset, bridges } = history;
    if (known?.epoch !== epoch || offset >= known.offset) return history;
    history.bridges = [{ epoch, offset }, ...bridges].slice(0, BRIDGES_MAX);
    history.epoch = newEpoch();
    return history;
  }

  /** The room's history, a new one when it has expired. */
  #open(room: string, ttlMs: number, now: number): RoomHistory {
    this.#sweep(now);
    let history = this.#rooms.get(room);
    if (history === undefined || history.expiresAtMs <= now) {
      history = {
        epoch: newEpoch(),
        offset: 0,
        bridges: [],
        entries: [],
        answers: new Map(),
        entriesExpireAtMs: 0,
        expiresAtMs: 0,
      };
      this.#rooms.set(room, history);
    }
    if (history.entriesExpireAtMs <= now) history.entries = [];
    history.expiresAtMs = now + ttlMs * POSITION_TTL_FACTOR;
    return history;
  }

  /** Forgets expired histories from time to time: an abandoned room is not queried again. */
  #sweep(now: number): void {
    if (now - this.#sweptAtMs < SWEEP_INTERVAL_MS) return;
    this.#sweptAtMs = now;
    for (const [room, { expiresAtMs, answers }] of this.#rooms) {
      if (expiresAtMs <= now) this.#rooms.delete(room);
      for (const [key, answer] of answers) if (answer.expiresAtMs <= now) answers.delete(key);
    }
  }
}

/** The offset of the newest entry that does not fit into so many bytes with those after it. */
function newestBeyond(maxBytes: number, entries: readonly HistoryEntry[]): number | undefined {
  let bytes = 0;
  return entries.findLast(({ envelope }) => {
    bytes += envelope.length;
    return bytes > maxBytes;
  })?.offset;
}
