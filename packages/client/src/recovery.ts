/** Recovery: what of a room's history this client has, so that nothing is shown twice and nothing is missed in silence. */
import type { GapReason as EdgeGapReason, Frame, Position } from '@hubbub/protocol';
import { defined } from './defined.js';
import type { Session } from './frames.js';
import type { Outbox } from './outbox.js';
import { isOffset, type PositionAnswer, readPosition } from './resume-frames.js';
import { RoomPosition } from './room-position.js';

/**
 * `too_old`, `new_epoch`, `too_many`: the edge could not replay (PROTOCOL.md). `no_history`: the room has none, and the
 * connection, or the edge's own, was broken. `missed`: the next message was not the next.
 */
export type GapReason = EdgeGapReason | 'missed' | (string & {});

/** Messages of a room may be missing: fetch again what you show, by `room.history` where there are offsets. */
export interface Gap {
  readonly room: string;
  readonly reason: GapReason;
  /** The last offset before the gap, where it is known: `history({ since, before })` is what is missing. */
  readonly since?: number;
  /** The first offset after the gap. */
  readonly before?: number;
}

/** After a new connection a room is whole: every message came, or comes now. */
export interface Recovered {
  readonly room: string;
  /** The number of recovered messages. */
  readonly replayed: number;
}

export interface RecoveryPorts {
  readonly room: string;
  session(): Session | undefined;
  /** Our own messages on their way. */
  readonly outbox: Pick<Outbox, 'messagesInFlight' | 'isInFlight' | 'arrived' | 'crossed'>;
  deliver(frame: Frame): void;
  report(name: '*gap', gap: Gap): void;
  report(name: '*recovered', recovered: Recovered): void;
}

/** Frames held back at most: more than an edge replays. Beyond it they pass, and the gap is reported. */
const MAX_HELD = 2_000;
/** Own messages whose `ack` may be ahead of the `room_gap` that names their epoch. */
const MAX_ACKED_ELSEWHERE = 256;

export class Recovery {
  readonly #ports: RecoveryPorts;
  /** `undefined` until the edge names a position or a message has one. */
  #position: RoomPosition | undefined;
  /** A position was named to the edge, the answer has not come. */
  #isRecovering = false;
  /** Came while recovering, beyond what is being replayed: after `too_old` the replay begins behind a gap. */
  readonly #held: Frame[] = [];
  #replayed = 0;
  /** Acks of our own messages in an epoch that the edge has not named yet: an `ack` may overtake the `room_gap`. */
  #acksElsewhere: readonly { readonly epoch: string | undefined; readonly offset: number }[] = [];
  /** Only a `room_gap` named the position, and no message has come since: a live one below it shows that it was wrong. */
  #isClaimed = false;
  /** The namespace sends our own messages back to us: then these, and not their `ack`, show that they are here. */
  #echoes = false;

  constructor(ports: RecoveryPorts) {
    this.#ports = ports;
  }

  /** The epoch of the room's history; `undefined` without history, or while unknown. */
  get epoch(): string | undefined {
    return this.#position?.epoch;
  }

  get position(): Position | undefined {
    const { epoch, offset } = this.#position ?? {};
    return epoch !== undefined && offset !== undefined ? { epoch, offset } : undefined;
  }

  /** The position that is named to the edge now; until `answered`, frames of the room are a replay. */
  begin(): Position | undefined {
    const { position } = this;
    this.#isRecovering ||= position !== undefined;
    return position;
  }

  /** Takes the edge's position of the room; `again` when the application was in the room before. */
  answered(answer: PositionAnswer | undefined, again: boolean): void {
    const known = this.#isRecovering ? this.position : undefined;
    this.#isRecovering = false;
    const isWhole = known && answer?.recovered;
    const at = isWhole || !known ? answer : endOfGap(answer, known);
    if (!at) this.#reset();
    else if (!isWhole) this.#moveTo(at, known);
    if (isWhole) this.#ports.report('*recovered', { room: this.#ports.room, replayed: this.#replayed });
    else if (again) this.#reportGap(answer?.reason ?? 'no_history', known, at);
    // Ends early where a listener leaves the room: `forget` empties what is held.
    for (const frame of this.#held) this.take(frame, at !== answer);
    this.sessionLost();
    this.#closeHoles();
  }

  /**
   * Delivers a frame of the room: once, in order. A frame without a position describes the present, and passes.
   * @param isReplay the frame was held back while the room recovered
   */
  take(frame: Frame, isReplay = false): void {
    const { offset } = frame;
    if (!isOffset(offset) || frame.type === 'ack') {
      this.#ports.deliver(frame);
      return;
    }
    // Without a known position the first message that is heard sets it: what came before is not ours.
    this.#position ??= new RoomPosition(undefined, offset - 1);
    const { epoch = frame.epoch } = this.#position;
    const previous = frame.payload?.previous_epoch;
    if (frame.type === 'room_offset' && previous && (epoch === previous || epoch === frame.epoch)) {
      // The history continues in another epoch, and nothing is missing.
      this.#position.epoch = frame.epoch;
      this.#takeAcks();
      this.#ports.outbox.crossed(previous, frame.epoch);
      this.#ports.deliver(frame);
      return;
    }
    if (epoch !== (frame.epoch ?? epoch)) {
      if (this.#hold(frame)) return;
      // The edge names a new epoch first; where that was lost, the message itself shows the gap.
      this.gap({ reason: 'new_epoch', epoch: frame.epoch, offset: offset - 1 });
    } else if (this.#isClaimed && !this.#isRecovering && this.#position.knows(offset)) {
      this.#position = new RoomPosition(this.#position.epoch, offset - 1);
    }
    this.#isClaimed = false;
    const position = this.#position;
    if (!position) return; // A listener of the gap left the room.
    if (position.knows(offset)) {
      // The echo of a message whose ack was faster. In a replay it is one that this client knows it sent.
      if (this.#isRecovering || !position.takeEcho(offset)) return;
      this.#echoes = true;
      this.#ports.deliver(frame);
      return;
    }
    if (offset > position.offset + 1 && this.#hold(frame)) return;
    position.took(offset);
    this.#closeHoles();
    if (this.#isNews(frame, isReplay || this.#isRecovering)) this.#ports.deliver(frame);
  }

  /** A message of ours was taken, or was not: `epoch` and `offset` are its place, as far as the edge names it. */
  settled(epoch: string | undefined, offset: unknown): void {
    const position = this.#position;
    if (!position) return;
    if (isOffset(offset) && !this.#echoes) {
      if (epoch === position.epoch) position.acked(offset);
      else this.#acksElsewhere = [...this.#acksElsewhere.slice(1 - MAX_ACKED_ELSEWHERE), { epoch, offset }];
    }
    this.#closeHoles();
  }

  /** `room_gap`: the edge itself missed something. */
  gap(payload: unknown): void {
    const known = this.position;
    const answer = readPosition(payload);
    if (answer) {
      this.#moveTo(answer, known);
      this.#isClaimed = true;
    }
    const { reason } = (payload ?? {}) as { readonly reason?: unknown };
    this.#reportGap(typeof reason === 'string' ? reason : 'no_history', known, answer);
  }

  /** Positions outlive the session, answers do not. Held frames will be replayed again. */
  sessionLost(): void {
    this.#isRecovering = false;
    this.#held.length = 0;
    this.#replayed = 0;
  }

  /** The room was left. */
  forget(): void {
    this.sessionLost();
    this.#reset();
  }

  #reset(): void {
    this.#position = undefined;
    this.#acksElsewhere = [];
    this.#isClaimed = false;
    this.#echoes = false;
  }

  /** Keeps a frame for the time after the recovery; false where the room does not recover, or too much is kept. */
  #hold(frame: Frame): boolean {
    return this.#isRecovering && this.#held.length < MAX_HELD && this.#held.push(frame) > 0;
  }

  /** In a replay our own messages settle their `send()` instead; the application has shown them when it sent them. */
  #isNews(frame: Frame, isReplay: boolean): boolean {
    const { outbox, session } = this.#ports;
    if (this.#isRecovering) this.#replayed++;
    if (frame.id === undefined || frame.sender?.id !== session()?.user.id) return true;
    if (isReplay) return !outbox.arrived(frame) || this.#echoes;
    if (outbox.isInFlight(frame.id)) this.#echoes = true;
    return true;
  }

  #closeHoles(): void {
    const { room, outbox, report } = this.#ports;
    if (this.#isRecovering) return;
    for (;;) {
      const hole = this.#position?.closeHole(outbox.messagesInFlight);
      if (!hole) return;
      report('*gap', { room, reason: 'missed', ...hole });
    }
  }

  /** The edge continues from here. Without a known epoch, messages may have arrived before the answer. */
  #moveTo({ epoch, offset }: Position, known: Position | undefined): void {
    const early = known ? 0 : (this.#position?.offset ?? 0);
    this.#position = new RoomPosition(epoch, Math.max(offset, early));
    this.#isClaimed = false;
    this.#takeAcks();
  }

  #takeAcks(): void {
    for (const { epoch, offset } of this.#acksElsewhere) if (epoch === this.epoch) this.#position?.acked(offset);
  }

  #reportGap(reason: GapReason, known: Position | undefined, now: Position | undefined): void {
    const since = known?.epoch === now?.epoch ? known?.offset : undefined;
    this.#ports.report('*gap', defined({ room: this.#ports.room, reason, since, before: now && now.offset + 1 }));
  }
}

/** Where the gap ends: at the edge's position, or before what it replayed although older messages are missing. */
function endOfGap(answer: PositionAnswer | undefined, known: Position): Position | undefined {
  if (answer?.replayedFrom === undefined || answer.epoch !== known.epoch) return answer;
  return { epoch: answer.epoch, offset: answer.replayedFrom - 1 };
}
