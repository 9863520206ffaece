/** One room of the client, which all its handles share: its membership, position, pending frames, roster and listeners. */
import { type Frame, HubbubError } from '@hubbub/protocol';
import type { Connection } from './connection.js';
import { takesFrames } from './connection-states.js';
import { Emitter } from './emitter.js';
import { unavailable } from './errors.js';
import type { Session } from './frames.js';
import { Membership, type RoomChange } from './membership.js';
import type { Settings } from './options.js';
import { Outbox } from './outbox.js';
import { Recovery } from './recovery.js';
import type { Requests } from './requests.js';
import { Roster } from './roster.js';

/** The parts of the client that its rooms use. */
export interface ClientParts {
  readonly settings: Settings;
  readonly connection: Pick<Connection, 'state' | 'heading' | 'step'>;
  readonly requests: Requests;
  /** The listeners of the client. */
  readonly listeners: Emitter;
  /** The session, or the last one. */
  session(): Session | undefined;
}

/** The other rooms, as one room uses them. */
export interface RoomsPorts {
  isMaybeOfPath(room: string): boolean;
  /** Forgets the room if it is unused. */
  tidy(room: string): void;
  /** The room is not pending any more: perhaps none is. */
  checkRestored(): void;
}

export class SharedRoom {
  readonly name: string;
  listeners: Emitter;
  readonly roster = new Roster(roster => this.listeners.emit('*roster', roster));
  /** Handles that joined and did not leave. */
  readonly members = new Set<object>();
  readonly outbox: Outbox;
  readonly recovery: Recovery;
  readonly membership: Membership;
  readonly #client: ClientParts;
  readonly #tidy: () => void;

  constructor(room: string, client: ClientParts, rooms: RoomsPorts) {
    const { settings, connection, requests, session } = client;
    this.name = room;
    this.#client = client;
    this.#tidy = () => rooms.tidy(room);
    this.listeners = new Emitter(this.#tidy);
    this.outbox = new Outbox(settings, requests, {
      isReady: () => takesFrames(connection.heading) && !this.membership.isPending,
      session,
      epoch: () => this.recovery.epoch,
      answered: (answer, epoch) => this.recovery.settled(answer.epoch ?? epoch, answer.offset),
    });
    this.recovery = new Recovery({
      room,
      session,
      outbox: this.outbox,
      deliver: frame => this.#deliver(frame),
      report: (name, event) => this.#emit(name, event),
    });
    this.membership = new Membership(settings, {
      room,
      connection,
      requests,
      recovery: this.recovery,
      isMaybeOfPath: () => rooms.isMaybeOfPath(room),
      changed: change => {
        this.#changed(change);
        this.#tidy();
      },
      settled: () => {
        this.#tidy();
        rooms.checkRestored();
      },
    });
  }

  /** Whether the room is unused and nothing of it has to be remembered. */
  get isIdle(): boolean {
    return this.membership.isOver && this.outbox.isEmpty && this.members.size === 0 && this.listeners.isEmpty;
  }

  /** Takes a frame of the room from the edge. */
  take(frame: Frame): void {
    const { membership, recovery, name } = this;
    if (frame.type === 'room_closed') membership.drop(new HubbubError('NOT_IN_ROOM', `Room ${name} was closed.`));
    if (frame.type === 'room_opened') membership.opened(frame.payload);
    if (membership.isLeavingAgain) return;
    // Frames that still arrive from a room that was left have no position to keep.
    if (membership.state === 'left') {
      this.#deliver(frame);
      return;
    }
    if (frame.type === 'room_gap') recovery.gap(frame.payload);
    recovery.take(frame);
  }

  sessionLost(): void {
    this.recovery.sessionLost();
    this.membership.sessionLost();
    this.outbox.sessionLost();
  }

  /** Stops all listeners; handles that joined do not count any more. */
  stopListeners(): void {
    this.listeners = new Emitter(this.#tidy);
    this.members.clear();
  }

  /** The roster first: a listener sees what the frame has changed. */
  #deliver(frame: Frame): void {
    this.roster.take(frame);
    this.#emit(frame.type, frame);
    this.listeners.emit('*', frame);
  }

  #changed(change: RoomChange): void {
    const { state, error } = change;
    if (state === 'joined') this.outbox.flush();
    if (state === 'left') {
      this.recovery.forget();
      this.outbox.refuse(error ?? unavailable(`Room ${this.name} was left.`));
      this.roster.clear();
      this.members.clear();
    }
    if (state === 'rejoining') this.roster.expectFresh();
    this.listeners.emit('*change', change);
  }

  /** To the listeners of the room, then to those of all rooms. */
  #emit(name: string, event: unknown): void {
    this.listeners.emit(name, event);
    this.#client.listeners.emit(name, event);
  }
}
