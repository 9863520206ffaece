/**
 * Conflation: in the rooms of some namespaces, only the newest message per key waits for a slow reader. A session that is
 * behind by more than a bound leaves the native topics of these rooms. Later messages are put aside for it; when it has
 * read, they are sent and it returns to the topics. Other sessions cost only a check of their buffers while messages arrive.
 */
import type { Config } from '@hubbub/config';
import { CLOSE_CODES } from '@hubbub/protocol';
import type { SessionEncoding } from '@hubbub/protocol/session-encoding';
import { type MetricsRegistry, metricsKit } from '@hubbub/runtime';
import type { Session } from '../sessions/session.js';
import { Backlog } from './backlog.js';

export interface ConflationOptions {
  /** A session for which more waits steps off. */
  readonly aboveBytes: number;
  /** The bound of the frames here and in the engine's buffer together. */
  readonly maxBufferedBytes: number;
  readonly metrics: ReturnType<typeof createConflationMetrics>;
  /** A session for which more waits than may. */
  readonly onOverflow: (session: Session) => void;
}

export function createConflation(
  config: Pick<Config, 'conflateAboveBytes' | 'maxBufferedBytes'>,
  { metrics, onOverflow }: { readonly metrics: MetricsRegistry; readonly onOverflow: () => void },
): Conflation {
  const conflation: Conflation = new Conflation({
    aboveBytes: config.conflateAboveBytes,
    maxBufferedBytes: config.maxBufferedBytes,
    metrics: createConflationMetrics(metrics, () => conflation.size),
    onOverflow,
  });
  return conflation;
}

function createConflationMetrics(registry: MetricsRegistry, sessionsBehind: () => number) {
  const { counter, gauge } = metricsKit(registry);
  gauge(
    'hubbub_edge_conflating_sessions',
    'Sessions that conflate at present (only the newest message per key waits).',
    sessionsBehind,
  );
  return {
    /** A newer message of the same key replaced one that waited. */
    replaced: counter(
      'hubbub_edge_conflated_messages_total',
      'Messages that a newer message with the same key replaced for a slow reader, counted per recipient.',
    ),
    /** A session is behind: from now on only the newest message per key waits for it. */
    steppedOff: counter(
      'hubbub_edge_conflations_total',
      'Number of times that a session started to conflate (only the newest message per key waits).',
    ),
  };
}

/** A frame as one encoding's members get it. */
export interface ConflatedFrame {
  readonly encoding: SessionEncoding;
  /** Made for this frame: it is kept. */
  readonly bytes: Uint8Array;
  readonly key: string | undefined;
  readonly except: readonly Session[];
}

/** Messages that wait for one session: a bound on the keys, and on those without one. */
export const WAITING_FRAMES_MAX = 1024;
const LOOK_INTERVAL_MS = 50;
/** A part of the bound, so that a session that returns does not leave the topic again immediately. */
const DRAINED_PART = 4;

/** All conflating rooms of an edge and the sessions that are behind in them. */
export class Conflation {
  readonly #options: ConflationOptions;
  readonly #backlogs = new Map<Session, Backlog<ConflatedRoom>>();
  /** Rooms that had messages since the last check. */
  readonly #busy = new Set<ConflatedRoom>();
  #unlookedBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ConflationOptions) {
    this.#options = options;
  }

  /** Sessions that are behind. */
  get size(): number {
    return this.#backlogs.size;
  }

  open(topicOf: (encoding: SessionEncoding) => string): ConflatedRoom {
    return new ConflatedRoom(this, topicOf);
  }

  /**
   * A message arrived: checks the room's members, immediately where a fast stream could fill a buffer before the timer. The
   * engine hands over the messages of one turn, up to 32 at a time, and until then they are in no buffer. So
   * `maxBufferedBytes` needs room for `aboveBytes` and 32 messages.
   */
  delivered(room: ConflatedRoom, bytes: number): void {
    this.#busy.add(room);
    this.#unlookedBytes += bytes;
    // Of all rooms together: one session may be in many.
    if (this.#unlookedBytes * 2 >= this.#options.aboveBytes) this.#look();
    this.#schedule();
  }

  put(session: Session, room: ConflatedRoom, { bytes, key }: ConflatedFrame): void {
    const backlog = this.#backlogs.get(session);
    if (backlog === undefined) return;
    if (backlog.put(room, key, bytes)) this.#options.metrics.replaced();
    const waitingBytes = session.socket.getBufferedAmount() + backlog.bytes;
    if (backlog.size > WAITING_FRAMES_MAX || waitingBytes > this.#options.maxBufferedBytes) this.#cutOff(session);
  }

  /** The sender knows its own message, and it is newer than the one that waits under its key. */
  outdate(session: Session, room: ConflatedRoom, key: string): void {
    if (this.#backlogs.get(session)?.drop(room, key) === true) this.#options.metrics.replaced();
  }

  /** Sends what waits, newest per key, and lets the session hear its rooms again: in one turn, nothing comes between. */
  settle(session: Session): void {
    const backlog = this.#backlogs.get(session);
    if (backlog === undefined) return;
    this.#backlogs.delete(session);
    for (const bytes of backlog.frames()) session.socket.send(bytes, session.encoding === 'msgpack');
    for (const room of backlog.rooms) room.stepBack(session);
  }

  /** The session has left the room: drops its waiting frames of this room. */
  left(session: Session, room: ConflatedRoom): void {
    const backlog = this.#backlogs.get(session);
    backlog?.leave(room);
    if (backlog?.rooms.size === 0) this.#backlogs.delete(session);
  }

  /** The last member has left the room. */
  forget(room: ConflatedRoom): void {
    this.#busy.delete(room);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#busy.clear();
    this.#backlogs.clear();
  }

  #look(): void {
    this.#unlookedBytes = 0;
    for (const room of this.#busy) {
      for (const session of room.stepOff(this.#options.aboveBytes)) this.#backlogOf(session).rooms.add(room);
    }
    this.#busy.clear();
  }

  #backlogOf(session: Session): Backlog<ConflatedRoom> {
    let backlog = this.#backlogs.get(session);
    if (backlog === undefined) {
      backlog = new Backlog();
      this.#backlogs.set(session, backlog);
      this.#options.metrics.steppedOff();
    }
    return backlog;
  }

  #schedule(): void {
    if (this.#busy.size === 0 && this.#backlogs.size === 0) return; // A cluster that is idle costs nothing.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const [session] of this.#backlogs) {
        if (session.socket.getBufferedAmount() * DRAINED_PART <= this.#options.aboveBytes) this.settle(session);
      }
      this.#look();
      this.#schedule();
    }, LOOK_INTERVAL_MS).unref();
  }

  /** Not silently: the client may reconnect and start again. The close removes it from its rooms. */
  #cutOff(session: Session): void {
    this.#backlogs.delete(session);
    this.#options.onOverflow(session);
    session.end(CLOSE_CODES.SLOW_READER, 'too much is buffered');
  }
}

/** One room's members, and those of them that are off its native topic. */
export class ConflatedRoom {
  readonly #conflation: Conflation;
  readonly #topicOf: (encoding: SessionEncoding) => string;
  readonly #members = new Set<Session>();
  readonly #away = new Set<Session>();

  constructor(conflation: Conflation, topicOf: (encoding: SessionEncoding) => string) {
    this.#conflation = conflation;
    this.#topicOf = topicOf;
  }

  /** A member, which has the topic. */
  add(session: Session): void {
    this.#members.add(session);
  }

  remove(session: Session): void {
    this.#members.delete(session);
    if (this.#away.delete(session)) this.#conflation.left(session, this);
    if (this.#members.size === 0) this.#conflation.forget(this);
  }

  /** Whether the native topic does not reach the session. */
  isAway(session: Session): boolean {
    return this.#away.has(session);
  }

  /** The frame has been published to the native topic. */
  published(frame: ConflatedFrame): void {
    for (const session of this.#away) {
      if (session.encoding !== frame.encoding) continue;
      if (!frame.except.includes(session)) this.#conflation.put(session, this, frame);
      else if (frame.key !== undefined) this.#conflation.outdate(session, this, frame.key);
    }
    this.#conflation.delivered(this, frame.bytes.length);
  }

  /** Takes those off the topic for whom more than so many bytes wait. The engine still gives them what it has for them. */
  stepOff(aboveBytes: number): Session[] {
    const behind: Session[] = [];
    for (const session of this.#members) {
      if (this.#away.has(session) || session.socket.getBufferedAmount() <= aboveBytes) continue;
      session.socket.unsubscribe(this.#topicOf(session.encoding));
      this.#away.add(session);
      behind.push(session);
    }
    return behind;
  }

  stepBack(session: Session): void {
    if (this.#away.delete(session)) session.socket.subscribe(this.#topicOf(session.encoding));
  }
}
