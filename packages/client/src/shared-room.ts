/** One room of the client, which all its handles share: its membership, position, pending frames, roster and listeners. */
import { type Frame, HubbubError } from '@hubbub/protocol';
import { Emitter } from './emitter.js';
import { unavailable } from './errors.js';
import type { KnownFrames } from './frames.js';
import { Membership, type MembershipPorts, type RoomChange } from './membership.js';
import type { Settings } from './options.js';
import { Outbox, type OutboxPorts } from './outbox.js';
import { type Gap, type Recovered, Recovery } from './recovery.js';
import type { Requests } from './requests.js';
import { Roster } from './roster.js';

/** Events of a room that come from the client itself. */
export interface RoomEvents {
  readonly change: RoomChange;
  readonly gap: Gap;
  readonly recovered: Recovered;
}

/** The client as its rooms use it. */
export interface ClientPorts
  extends Pick<MembershipPorts, 'connectionState'>,
    Pick<OutboxPorts, 'isReady' | 'waiting' | 'user'> {
  readonly settings: Settings;
  readonly requests: Requests;
  /** Passes a frame of a room on to the listeners of all rooms. */
  deliver(frame: Frame): void;
  report(name: 'gap' | 'recovered', event: Gap | Recovered): void;
}

/** The other rooms, as one room uses them. */
export interface RoomsPorts {
  isMaybeOfPath(room: string): boolean;
  /** Forgets the room if nobody uses it. */
  tidy(room: string): void;
  /** The room is not pending any more: perhaps none is. */
  checkRestored(): void;
}

export class SharedRoom {
  readonly name: string;
  roster = new Roster();
  frames = new Emitter<KnownFrames, Frame>();
  events = new Emitter<RoomEvents, never>();
  /** Handles that joined and did not leave. */
  readonly members = new Set<object>();
  readonly outbox: Outbox;
  readonly recovery: Recovery;
  readonly membership: Membership;
  readonly #client: ClientPorts;

  constructor(room: string, client: ClientPorts, rooms: RoomsPorts) {
    const { settings, requests, user } = client;
    this.name = room;
    this.#client = client;
    this.outbox = new Outbox(settings, requests, {
      isReady: () => client.isReady() && !this.membership.isPending,
      waiting: client.waiting,
      user,
      epoch: () => this.recovery.epoch,
      answered: (answer, epoch) => this.recovery.settled(answer.epoch ?? epoch, answer.offset),
    });
    this.recovery = new Recovery({
      room,
      user,
      outbox: this.outbox,
      deliver: frame => this.#deliver(frame),
      report: (name, event) => {
        this.events.emit<string>(name, event as never);
        client.report(name, event);
      },
    });
    this.membership = new Membership(settings, {
      room,
      requests,
      recovery: this.recovery,
      connectionState: client.connectionState,
      isMaybeOfPath: () => rooms.isMaybeOfPath(room),
      changed: change => {
        this.#changed(change);
        rooms.tidy(room);
      },
      settled: () => {
        rooms.tidy(room);
        rooms.checkRestored();
      },
    });
  }

  /** Whether nobody uses the room and nothing of it has to be remembered. */
  get isIdle(): boolean {
    return (
      this.membership.isOver &&
      this.outbox.isEmpty &&
      this.members.size === 0 &&
      this.frames.isEmpty &&
      this.events.isEmpty &&
      this.roster.isUnheard
    );
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
    this.roster = new Roster();
    this.frames = new Emitter();
    this.events = new Emitter();
    this.members.clear();
  }

  /** The roster first: a listener sees what the frame has changed. */
  #deliver(frame: Frame): void {
    this.roster.take(frame);
    this.frames.emit<string>(frame.type, frame);
    this.#client.deliver(frame);
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
    this.events.emit('change', change);
  }
}
