/** The transport of a session that reads server-sent events: one HTTP response that does not end. */
import { CLOSE_CODES, closeAdvice } from '@hubbub/protocol';
import { closeEventText, HEARTBEAT, retryText } from '@hubbub/protocol/event-stream';
import { spreadRetryMs } from '../limits/limit-exceeded.js';
import type { Session, Socket } from '../sessions/session.js';
import type { Beating, Heartbeats } from './heartbeats.js';
import type { ReaderPositions } from './reader-positions.js';
import type { StreamTopics } from './stream-topics.js';
import { type StreamResponse, StreamWriter } from './stream-writer.js';

/** The parts that all streams of an edge share. */
export interface StreamParts {
  readonly maxBufferedBytes: number;
  readonly topics: StreamTopics;
  readonly heartbeats: Heartbeats;
  closed(stream: EventStream, code: number, reason: string): void;
  /** The reader has read some of what waited for it. */
  drained(stream: EventStream): void;
  /** More than `maxBufferedBytes` wait for the reader. */
  overflowed(stream: EventStream): void;
  /** The engine ended a response whose reader took nothing for about 10 s. */
  unread(stream: EventStream): void;
}

export interface Reader {
  /** The key by which the gate counts it. */
  readonly group: string;
  /** Of the topics that it subscribes to by itself; more of them are rooms that a service added. */
  readonly ownTopics: number;
  readonly positions: ReaderPositions;
  /** Of a reader of one room, every event of the room has its id already. */
  readonly hasOneRoom: boolean;
}

/** A reader has no backoff of its own: after a silent end it returns within this time. */
const RETRY_MIN_MS = 1000;
const RETRY_SPREAD_MS = 3000;
/** A drain is spread already. */
const RETRY_AFTER_MOVE_MS = 1000;
/** An `EventSource` always returns: one that is to stop, and does not know that it should, returns late. */
const RETRY_AFTER_STOP_MS = 3_600_000;
/** The engine's timer, 10 s, has steps of 4 s. */
const ENGINE_TIMEOUT_MIN_MS = 7900;

export class EventStream implements Socket, Beating {
  readonly group: string;
  #session: Session | undefined;
  readonly #response: StreamResponse;
  readonly #writer: StreamWriter;
  readonly #parts: StreamParts;
  readonly #ownTopics: number;
  readonly #positions: ReaderPositions;
  /** Whether events may be written as they are. */
  #isPlain: boolean;
  /** `concat` makes it exactly as long as it must be. */
  #topics: readonly string[] = [];
  /** `cut`: too much waits, and the connection is about to be closed. */
  #state: 'open' | 'cut' | 'closed' = 'open';
  #isQuiet = false;

  /** Call it within the engine's callback or a cork, after the headers. */
  constructor(response: StreamResponse, { group, ownTopics, positions, hasOneRoom }: Reader, parts: StreamParts) {
    this.group = group;
    this.#response = response;
    this.#writer = new StreamWriter(response, this);
    this.#parts = parts;
    this.#ownTopics = ownTopics;
    this.#positions = positions;
    this.#isPlain = hasOneRoom;
    response.write(retryText(spreadRetryMs(RETRY_MIN_MS, RETRY_SPREAD_MS)));
    parts.heartbeats.add(this);
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** Gives the stream its session: from now on the session is notified of what happens to it. */
  begin(session: Session): void {
    this.#session = session;
  }

  send(bytes: string | Uint8Array): number {
    if (this.#state !== 'open') return 0;
    const event = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    this.#isQuiet = false;
    this.#writer.write(this.#isPlain ? event : this.#positions.take(event));
    if (this.#writer.bufferedBytes > this.#parts.maxBufferedBytes) this.#cutOff();
    return 1;
  }

  subscribe(topic: string): boolean {
    this.#topics = this.#topics.concat(topic);
    // Events of a room that the request does not name must not move the reader's position.
    if (this.#topics.length > this.#ownTopics) this.#isPlain = false;
    this.#parts.topics.subscribe(topic, this);
    return true;
  }

  unsubscribe(topic: string): boolean {
    this.#topics = this.#topics.filter(other => other !== topic);
    this.#parts.topics.unsubscribe(topic, this);
    return true;
  }

  publish(topic: string, bytes: Uint8Array): boolean {
    this.#parts.topics.publish(topic, bytes, this);
    return true;
  }

  cork(send: () => void): void {
    this.#response.cork(send);
  }

  getBufferedAmount(): number {
    return this.#writer.bufferedBytes;
  }

  drained(): void {
    this.#parts.drained(this);
  }

  beat(): void {
    if (this.#isQuiet && this.#state === 'open' && this.#writer.bufferedBytes === 0) this.#writer.write(HEARTBEAT);
    this.#isQuiet = true;
  }

  /** Ends with the event `close`, after what waits. */
  end(code: number, reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#writer.finish(Buffer.from(closeEventText(code, reason, retryAfter(code))));
    this.#leave(code, reason);
  }

  close(): void {
    if (this.#state !== 'closed') this.#response.close(); // The engine calls `aborted`.
  }

  /** The connection has ended. */
  aborted(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (this.#writer.blockedMs > ENGINE_TIMEOUT_MIN_MS) this.#parts.unread(this);
    this.#writer.forget();
    this.#leave(CLOSE_CODES.ABNORMAL, '');
  }

  #cutOff(): void {
    this.#state = 'cut';
    this.#parts.overflowed(this);
    // Not now: a replay writes within a cork, which must not lose its response.
    setImmediate(() => this.close());
  }

  #leave(code: number, reason: string): void {
    for (const topic of this.#topics) this.#parts.topics.unsubscribe(topic, this);
    this.#topics = [];
    this.#parts.heartbeats.delete(this);
    this.#parts.closed(this, code, reason);
  }
}

function retryAfter(code: number): number {
  if (code === CLOSE_CODES.SERVICE_RESTART) return spreadRetryMs(0, RETRY_AFTER_MOVE_MS);
  return closeAdvice(code) === 'stop' ? RETRY_AFTER_STOP_MS : spreadRetryMs(RETRY_MIN_MS, RETRY_SPREAD_MS);
}
