/** Recovery: what of each room's history this client has, so that nothing is shown twice and nothing is missed in silence. */
import type { GapReason as EdgeGapReason, Frame, Position } from '@hubbub/protocol';
import { defined } from './defined.js';
import type { Deliveries } from './deliveries.js';
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
  /** Our user's id in this session. */
  user(): string | undefined;
  /** Our own messages on their way. */
  readonly deliveries: Pick<Deliveries, 'messagesInFlight' | 'isInFlight' | 'arrived'>;
  deliver(frame: Frame): void;
  report(name: 'gap', gap: Gap): void;
  report(name: 'recovered', recovered: Recovered): void;
}

/** Frames held back at most per room: more than an edge replays. Beyond it they pass, and the gap is reported. */
const MAX_HELD = 2_000;

class RoomRecord {
  position: RoomPosition;
  /** A position was named to the edge, the answer has not come. */
  recovering = false;
  /** Came while recovering, beyond what is being replayed: after `too_old` the replay begins behind a gap. */
  readonly held: Frame[] = [];
  replayed = 0;
  /** Acks of our own messages in an epoch that the edge has not named yet: an `ack` may overtake the `room_gap`. */
  acksElsewhere: readonly { readonly epoch: string | undefined; readonly offset: number }[] = [];
  /** Only a `room_gap` named the position, and no message has come since: a live one below it shows that it was wrong. */
  claimed = false;
  /** The namespace sends our own messages back to us: then these, and not their `ack`, show that they are here. */
  echoes = false;

  /** A room of which the message after `offset` is the first that is heard: what came before is not ours. */
  constructor(offset: number) {
    this.position = new RoomPosition(undefined, offset);
  }

  /** Keeps a frame for the time after the recovery; false where there is none, or too much is kept. */
  hold(frame: Frame): boolean {
    return this.recovering && this.held.length < MAX_HELD && this.held.push(frame) > 0;
  }

  /** No answer is awaited any more. */
  endRecovery(): void {
    this.recovering = false;
    this.held.length = 0;
    this.replayed = 0;
  }
}

/** Own messages whose `ack` may be ahead of the `room_gap` that names their epoch. */
const MAX_ACKED_ELSEWHERE = 256;

export class Recovery {
  readonly #ports: RecoveryPorts;
  readonly #rooms = new Map<string, RoomRecord>();

  constructor(ports: RecoveryPorts) {
    this.#ports = ports;
  }

  /** The epoch of the room's history; `undefined` without history, or while unknown. */
  epoch(room: string): string | undefined {
    return this.#rooms.get(room)?.position.epoch;
  }

  position(room: string): Position | undefined {
    const { epoch, offset } = this.#rooms.get(room)?.position ?? {};
    return epoch !== undefined && offset !== undefined ? { epoch, offset } : undefined;
  }

  /** The position that is named to the edge now; until `answered`, frames of the room are a replay. */
  begin(room: string): Position | undefined {
    const position = this.position(room);
    const record = this.#rooms.get(room);
    if (position && record) record.recovering = true;
    return position;
  }

  /** Takes the edge's position of the room; `again` when the application was in the room before. */
  answered(room: string, answer: PositionAnswer | undefined, again: boolean): void {
    const record = this.#rooms.get(room);
    const known = record?.recovering ? this.position(room) : undefined;
    if (record) record.recovering = false;
    const whole = known && answer?.recovered;
    const at = whole || !known ? answer : endOfGap(answer, known);
    if (!at) this.#rooms.delete(room);
    else if (!whole) this.#moveTo(room, at, known);
    if (whole) this.#ports.report('recovered', { room, replayed: record?.replayed ?? 0 });
    else if (again) this.#tellGap(room, answer?.reason ?? 'no_history', known, at);
    const isReplay = record && at !== answer;
    // Ends early where a listener leaves the room: `forget` empties what is held.
    for (const frame of record?.held ?? []) this.take(room, frame, isReplay);
    record?.endRecovery();
    if (record && record === this.#rooms.get(room)) this.#closeHoles(room, record);
  }

  /**
   * A frame of the room: passed on once, in order. Those without a position are what is now, and pass.
   * @param isReplay the frame was held back while the room recovered
   */
  take(room: string, frame: Frame, isReplay = false): void {
    const { offset } = frame;
    if (!isOffset(offset) || frame.type === 'ack') {
      this.#ports.deliver(frame);
      return;
    }
    const record = this.#record(room, offset - 1);
    if (this.#isOfAnotherEpoch(record, frame)) {
      if (record.hold(frame)) return;
      // The edge names a new epoch first; where that was lost, the message itself shows the gap.
      this.gap(room, { reason: 'new_epoch', epoch: frame.epoch, offset: offset - 1 });
    } else if (record.claimed && !record.recovering && record.position.knows(offset)) {
      record.position = new RoomPosition(record.position.epoch, offset - 1);
    }
    record.claimed = false;
    const { position } = record;
    if (position.knows(offset)) {
      // The echo of a message whose ack was faster. In a replay it is one that this client knows it sent.
      if (record.recovering || !position.takeEcho(offset)) return;
      record.echoes = true;
      this.#ports.deliver(frame);
      return;
    }
    if (offset > position.offset + 1 && record.hold(frame)) return;
    position.took(offset);
    this.#closeHoles(room, record);
    if (this.#isNews(record, frame, isReplay || record.recovering)) this.#ports.deliver(frame);
  }

  /** A message of ours was taken, or was not: `epoch` and `offset` are its place, as far as the edge names it. */
  settled(room: string, epoch: string | undefined, offset: unknown): void {
    const record = this.#rooms.get(room);
    if (!record) return;
    const { position } = record;
    if (isOffset(offset) && !record.echoes) {
      if (epoch === position.epoch) position.acked(offset);
      else record.acksElsewhere = [...record.acksElsewhere.slice(1 - MAX_ACKED_ELSEWHERE), { epoch, offset }];
    }
    this.#closeHoles(room, record);
  }

  /** `room_gap`: the edge itself missed something. */
  gap(room: string, payload: unknown): void {
    const known = this.position(room);
    const answer = readPosition(payload);
    if (answer) {
      this.#moveTo(room, answer, known);
      this.#record(room, answer.offset).claimed = true;
    }
    const { reason } = (payload ?? {}) as { readonly reason?: unknown };
    this.#tellGap(room, typeof reason === 'string' ? reason : 'no_history', known, answer);
  }

  /** Positions outlive the session, answers do not. Held frames will be replayed again. */
  sessionLost(): void {
    for (const record of this.#rooms.values()) record.endRecovery();
  }

  forget(room: string): void {
    this.#rooms.get(room)?.endRecovery();
    this.#rooms.delete(room);
  }

  /** In a replay our own messages settle their `send()` instead; the application has shown them when it sent them. */
  #isNews(record: RoomRecord, frame: Frame, isReplay: boolean): boolean {
    if (record.recovering) record.replayed++;
    if (frame.id === undefined || frame.sender?.id !== this.#ports.user()) return true;
    if (isReplay) return !this.#ports.deliveries.arrived(frame) || record.echoes;
    if (this.#ports.deliveries.isInFlight(frame.id)) record.echoes = true;
    return true;
  }

  #closeHoles(room: string, record: RoomRecord): void {
    if (record.recovering) return;
    for (;;) {
      const hole = record.position.closeHole(this.#ports.deliveries.messagesInFlight(room));
      if (!hole) return;
      this.#ports.report('gap', { room, reason: 'missed', ...hole });
    }
  }

  /** The edge continues from here. Without a known epoch, messages may have arrived before the answer. */
  #moveTo(room: string, { epoch, offset }: Position, known: Position | undefined): void {
    const record = this.#record(room, offset);
    const early = !known ? record.position.offset : 0;
    record.position = new RoomPosition(epoch, Math.max(offset, early));
    record.claimed = false;
    for (const ack of record.acksElsewhere) if (ack.epoch === epoch) record.position.acked(ack.offset);
  }

  #isOfAnotherEpoch({ position }: RoomRecord, { epoch }: Frame): boolean {
    return epoch !== undefined && position.epoch !== undefined && epoch !== position.epoch;
  }

  #tellGap(room: string, reason: GapReason, known: Position | undefined, now: Position | undefined): void {
    const since = known?.epoch === now?.epoch ? known?.offset : undefined;
    this.#ports.report('gap', defined({ room, reason, since, before: now && now.offset + 1 }));
  }

  #record(room: string, offset: number): RoomRecord {
    const record = this.#rooms.get(room) ?? new RoomRecord(offset);
    this.#rooms.set(room, record);
    return record;
  }
}

/** Where the gap ends: at the edge's position, or before what it replayed although older messages are missing. */
function endOfGap(answer: PositionAnswer | undefined, known: Position): Position | undefined {
  if (answer?.replayedFrom === undefined || answer.epoch !== known.epoch) return answer;
  return { epoch: answer.epoch, offset: answer.replayedFrom - 1 };
}
