/** One event stream with its rooms: it has the position in each room, and reports when the missed messages have arrived. */
import { type Frame, type Payload, POSITION_SEPARATOR, writeStreamPosition } from '@hubbub/protocol';
import { ABNORMAL, type Closing } from './errors.js';
import { openEventStream, type StreamEvent } from './event-stream.js';
import { Heartbeat } from './heartbeat.js';
import { readPosition } from './resume-frames.js';

/** A room of a request. */
export interface Place {
  /** The position in it, as ids have it; empty without one. */
  at: string;
  readonly token?: string | undefined;
  /** It is joined; otherwise the stream takes the room over from another one. */
  readonly isNew: boolean;
  /** The payload of its `room_opened`. */
  opened?: Payload;
}

export interface RoomStreamPorts {
  readonly url: string;
  readonly headers: Record<string, string>;
  /** The stream has its session. Returns why it cannot be used. */
  welcomed(frame: Frame, stream: RoomStream): Closing | undefined;
  /** Messages of the room follow. */
  roomOpened(room: string, place: Place): void;
  received(frame: Frame, data: string, stream: RoomStream): void;
  /** The stream ended after `welcome`. */
  ended(closing: Closing): void;
}

/** Milliseconds that `welcome`, or a heartbeat that is due, may take. */
const PATIENCE_MS = 10_000;

export class RoomStream {
  /** In the order of the request. A room that was closed is not in it any more. */
  readonly rooms: Map<string, Place>;
  /** Rooms that a service added. */
  readonly added = new Set<string>();
  /** Resolves at `welcome`; if the stream ends before that, to its closing. */
  readonly opened: Promise<Closing | undefined>;
  /** Resolves when every new room was opened, and its missed messages have arrived. */
  readonly joined: Promise<void>;
  readonly #places: readonly Place[];
  readonly #ports: RoomStreamPorts;
  readonly #abort: () => void;
  readonly #pace = { heartbeatIntervalMs: 0, heartbeatTimeoutMs: PATIENCE_MS };
  readonly #heartbeat = new Heartbeat(this.#pace, {
    ping: () => {}, // The edge sends comments by itself.
    dead: () => this.#ended({ code: ABNORMAL, reason: 'no heartbeat' }),
  });
  #resolveOpened!: (closing?: Closing) => void;
  #resolveJoined!: () => void;
  #isOpen = false;

  constructor(rooms: Map<string, Place>, ports: RoomStreamPorts) {
    this.rooms = rooms;
    this.#places = [...rooms.values()];
    this.#ports = ports;
    this.opened = new Promise(resolve => {
      this.#resolveOpened = resolve;
    });
    this.joined = new Promise(resolve => {
      this.#resolveJoined = resolve;
    });
    this.#abort = openEventStream({
      ...ports,
      take: event => this.#take(event),
      ended: closing => this.#ended(closing),
    });
    this.#heartbeat.start();
  }

  close(): void {
    this.#heartbeat.stop();
    this.#abort();
  }

  #take({ id, data }: StreamEvent): void {
    this.#heartbeat.heard();
    if (data === undefined) return;
    const positions = id?.split(POSITION_SEPARATOR) ?? [];
    for (const [index, at] of positions.entries()) {
      const place = this.#places[index];
      if (place) place.at = at;
    }
    this.#receive(JSON.parse(data) as Frame, data);
    if ([...this.rooms.values()].every(isWhole)) this.#resolveJoined();
  }

  #receive(frame: Frame, data: string): void {
    const { type, room = '', payload } = frame;
    const place = this.rooms.get(room);
    if (type === 'welcome') {
      this.#pace.heartbeatIntervalMs = Number(payload?.ping_interval_ms);
      const problem = this.#ports.welcomed(frame, this);
      this.#isOpen = !problem;
      if (problem) this.#ended(problem);
      else this.#resolveOpened();
    } else if (type === 'room_opened' && place && payload) {
      place.opened = payload;
      this.#ports.roomOpened(room, place);
    } else {
      if (type === 'room_opened') this.added.add(room);
      if (type === 'room_closed') {
        this.rooms.delete(room);
        this.added.delete(room);
      }
      this.#ports.received(frame, data, this);
    }
  }

  #ended(closing: Closing): void {
    this.close();
    if (this.#isOpen) this.#ports.ended(closing);
    this.#resolveOpened(closing);
  }
}

/** Whether the replay of the room, which ends at the position of its `room_opened`, has arrived. */
function isWhole({ at, isNew, opened }: Place): boolean {
  if (!isNew) return true;
  const end = readPosition(opened);
  if (!end) return opened !== undefined;
  const history = writeStreamPosition({ ...end, offset: 0 }).slice(0, -1);
  return at.startsWith(history) && Number(at.slice(history.length)) >= end.offset;
}
