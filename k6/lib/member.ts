/** One member of a room: reads the talker's numbered messages, and resumes where the room has a history. */
import { type Encoding, type Frame, isRecord } from './codec.js';
import { Ledger } from './ledger.js';
import * as metrics from './metrics.js';
import { openSession, type Session } from './session.js';
import { edgeUrls } from './settings.js';
import { sleep } from './time.js';

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 5000;
const ASK_AGAIN_MS = 250;
/** A skipped message may arrive within this time, for example after a retry of the talker. */
const MISSING_FOR_MS = 10_000;

export interface MemberOptions {
  readonly room: string;
  readonly user: string;
  readonly encoding: Encoding;
  /** Index of the edge that it connects to first. */
  readonly edge: number;
  /** With the handshake, or with a frame. */
  readonly joinsBy: 'path' | 'frame';
  /** Whether it resumes after losing its connection. Only in rooms with history. */
  readonly reconnects: boolean;
  /** Whether it joins before the first message and expects number 1. Otherwise it starts with the first message that arrives. */
  readonly fromTheStart: boolean;
  /** Additional tags of its messages; few values. */
  readonly tags?: () => Readonly<Record<string, string>>;
}

interface Position {
  readonly epoch: string;
  readonly offset: number;
}

export class Member {
  readonly options: MemberOptions;
  session: Session | undefined;
  /** Time of its last message, milliseconds since 1970. */
  lastReadAt = 0;
  #ledger: Ledger | undefined;
  #position: Position | undefined;
  #edge: number;
  #asked = 0;
  #left = false;
  /** Of the last refusal: an overloaded edge spreads the clients that it refuses. */
  #retryAfterMs = 0;
  #isReturning = false;

  constructor(options: MemberOptions) {
    this.options = options;
    this.#edge = options.edge;
    if (options.fromTheStart) this.#ledger = new Ledger();
  }

  get last(): number {
    return this.#ledger?.last ?? 0;
  }

  /** Whether it expects a certain next number. */
  get isCounting(): boolean {
    return this.#ledger !== undefined;
  }

  /** Opens a session and joins; resolves with `false` if that failed. */
  async enter(): Promise<boolean> {
    this.#left = false;
    const { room, joinsBy } = this.options;
    const session = await this.#open(joinsBy === 'path' ? room : undefined);
    if (session === undefined) return false;
    if (joinsBy === 'path') return true;
    const answer = await session.ask({ type: 'join_room', id: this.newId(), payload: { room_id: room } });
    this.#position = positionIn(answer?.payload);
    return answer?.type === 'ack';
  }

  /** Closes the session until the next `enter`, without resuming. */
  leave(): void {
    this.#left = true;
    this.session?.close();
    this.session = undefined;
  }

  /** Forgets its position: it starts again with the first number that it reads. */
  forget(): void {
    this.#ledger = undefined;
  }

  /** Closes its own connection and resumes, as after a broken network. */
  async cut(): Promise<void> {
    this.session?.close();
    await this.#reconnect();
  }

  /** Returns an id that is unique in the run: in rooms with history it is the idempotency key of retries. */
  newId(): string {
    return `${this.options.user}-${++this.#asked}`;
  }

  /** Counts skipped messages as lost: those that are too old, or all. */
  giveUp(all = false): void {
    const lost = this.#ledger?.giveUp(all ? Number.POSITIVE_INFINITY : Date.now() - MISSING_FOR_MS) ?? 0;
    if (lost > 0) metrics.messagesLost.add(lost);
  }

  /** Returns whether it has read every number up to this one. */
  hasAllUpTo(number: number): boolean {
    return this.#ledger !== undefined && this.#ledger.last >= number && this.#ledger.missing === 0;
  }

  async #open(room?: string): Promise<Session | undefined> {
    const edgeUrl = edgeUrls[this.#edge % edgeUrls.length] ?? '';
    const { user, encoding, reconnects } = this.options;
    const session = await openSession({
      edgeUrl,
      user,
      encoding,
      ...(room !== undefined && { room }),
      onMessage: frame => this.#read(frame),
      onRefused: retryAfterMs => {
        this.#retryAfterMs = retryAfterMs;
      },
      ...(reconnects && {
        // The pending reconnect handles a connection that breaks during its resume.
        onCut: () => {
          if (!this.#isReturning) void this.#reconnect();
        },
      }),
    });
    this.session = session;
    return session;
  }

  #read(frame: Frame): void {
    const { n, t } = frame.payload ?? {};
    if (typeof n !== 'number' || typeof t !== 'number') return;
    const now = Date.now();
    this.lastReadAt = now;
    if (frame.offset !== undefined && this.#position !== undefined)
      this.#position = { ...this.#position, offset: frame.offset };
    this.#ledger ??= new Ledger(n - 1);
    const arrival = this.#ledger.read(n, now);
    metrics.messagesReceived.add(1, { encoding: this.options.encoding });
    if (arrival === 'late') metrics.messagesDisordered.add(1);
    if (arrival === 'repeated') {
      metrics.messagesRepeated.add(1);
      return;
    }
    metrics.deliveryMs.add(now - t, { encoding: this.options.encoding, ...this.options.tags?.() });
  }

  async #reconnect(): Promise<void> {
    const lostAt = Date.now();
    this.#isReturning = true;
    for (let attempt = 0; !this.#left; attempt++) {
      // Full jitter spreads simultaneous reconnects over the whole delay.
      const jitterMs = Math.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
      await sleep(this.#retryAfterMs + jitterMs);
      this.#retryAfterMs = 0;
      this.#edge++; // The previous edge may be dead.
      if (this.#left || !(await this.#open())) continue;
      if (!(await this.#resume())) continue;
      metrics.returns.add(1);
      metrics.returnMs.add(Date.now() - lostAt);
      break;
    }
    this.#isReturning = false;
  }

  /** Retries until the edge can answer; `false` if the connection ends first. */
  async #resume(): Promise<boolean> {
    const session = this.session;
    while (session?.isOpen) {
      const room = { room_id: this.options.room, ...this.#position };
      const answer = await session.ask({ type: 'resume', id: this.newId(), payload: { rooms: [room] } });
      const outcome = firstOf(answer?.payload?.rooms);
      if (answer?.type === 'ack' && outcome !== undefined && !isRecord(outcome.error)) {
        this.#resumed(outcome);
        return true;
      }
      await sleep(ASK_AGAIN_MS);
    }
    return false;
  }

  #resumed(outcome: Readonly<Record<string, unknown>>): void {
    const whole = outcome.recovered === true;
    metrics.recovered.add(whole);
    this.#position = positionIn(outcome) ?? this.#position;
    // A reported loss starts a new sequence. Without the report, missing numbers count as lost.
    if (outcome.recovered === false) this.#ledger = undefined;
  }
}

function positionIn(payload: unknown): Position | undefined {
  if (!isRecord(payload)) return undefined;
  const { epoch, offset } = payload;
  return typeof epoch === 'string' && typeof offset === 'number' ? { epoch, offset } : undefined;
}

function firstOf(list: unknown): Readonly<Record<string, unknown>> | undefined {
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  return isRecord(first) ? first : undefined;
}
