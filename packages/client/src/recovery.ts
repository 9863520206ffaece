/** Recovery: what of each room's history this client has, so that nothing is shown twice and nothing is missed in silence. */
import type { GapReason as EdgeGapReason, Frame, Position } from '@hubbub/protocol';
import { isOffset, type PositionAnswer, readPosition } from './resume-frames.js';
import { RoomPosition } from './room-position.js';

/**
 * `too_old`, `new_epoch`, `too_many`: the edge could not replay (PROTOCOL.md). `no_history`: the room has none, and the
 * connection, or the edge's own, was broken. `missed`: the next message was not the next.
 */
export type GapReason = EdgeGapReason | 'missed' | (string & {});

/** Messages of a room may be missing: fetch what you show anew, by `room.history` where there are offsets. */
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
  /** Messages that were made up for. */
  readonly replayed: number;
}

export interface RecoveryPorts {
  /** Our user's id in this session. */
  user(): string | undefined;
  /** Our messages in this room that are out and not answered. */
  inFlight(room: string): number;
  /** Whether a message of ours with this id is out and not answered. */
  isInFlight(id: string): boolean;
  /** This message of ours did arrive: settles its `send()`, if that still waits. */
  arrived(frame: Frame): boolean;
  deliver(frame: Frame): void;
  gap(gap: Gap): void;
  recovered(recovered: Recovered): void;
}

interface RoomRecord {
  position: RoomPosition;
  /** A position was named to the edge, the answer has not come. */
  recovering: boolean;
  /** Came while recovering, beyond what is being replayed: in the room of the path, live messages may overtake the replay. */
  held: Frame[];
  replayed: number;
  /** Acks of our own messages in an epoch that the edge has not named yet: an `ack` may overtake the `room_gap`. */
  ackedElsewhere: { readonly epoch: string; readonly offsets: number[] } | undefined;
  /** Only a `room_gap` named the position, and no message has come since: a live one below it shows that it was wrong. */
  claimed: boolean;
  /** The namespace sends our own messages back to us: then these, and not their `ack`, show that they are here. */
  echoes: boolean;
}

/** Own messages whose `ack` may be ahead of the `room_gap` that names their epoch. */
const MAX_ACKED_ELSEWHERE = 256;

/** Frames held back at most per room: more than an edge replays. Beyond it they pass, and the gap is told. */
const MAX_HELD = 2_000;

export class Recovery {
  readonly #ports: RecoveryPorts;
  readonly #rooms = new Map<string, RoomRecord>();

  constructor(ports: RecoveryPorts) {
    this.#ports = ports;
  }

  /** The epoch of the room's history; `undefined` where it has none, or none is known. */
  epoch(room: string): string | undefined {
    return this.#rooms.get(room)?.position.epoch;
  }

  position(room: string): Position | undefined {
    const { epoch, offset } = this.#rooms.get(room)?.position ?? {};
    return epoch === undefined || offset === undefined ? undefined : { epoch, offset };
  }

  /** The position that is named to the edge now; until `answered`, frames of the room are a replay. */
  begin(room: string): Position | undefined {
    const position = this.position(room);
    const record = this.#rooms.get(room);
    if (position !== undefined && record !== undefined) record.recovering = true;
    return position;
  }

  /** What the edge said of the room's position; `again` when the application was in the room before. */
  answered(room: string, answer: PositionAnswer | undefined, again: boolean): void {
    const record = this.#rooms.get(room);
    const known = record?.recovering === true ? this.position(room) : undefined;
    const { replayed = 0, held = [] } = record ?? {};
    if (record !== undefined) Object.assign(record, { recovering: false, held: [], replayed: 0 });
    const whole = known !== undefined && isWhole(answer, known);
    const at = whole || known === undefined ? answer : endOfGap(answer, known);
    if (at === undefined) this.#rooms.delete(room);
    else if (!whole) this.#moveTo(room, at, known);
    if (whole) this.#ports.recovered({ room, replayed });
    else if (again) this.#tellGap(room, answer?.reason ?? 'no_history', known, at);
    const isReplay = record !== undefined && at !== answer;
    for (const frame of held) this.take(room, frame, isReplay);
    if (record !== undefined) this.#closeHoles(room, record);
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
    const record = this.#record(room, offset);
    if (this.#isOfAnotherEpoch(record, frame)) {
      if (record.recovering && record.held.length < MAX_HELD) {
        record.held.push(frame);
        return;
      }
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
    if (record.recovering && offset > position.offset + 1 && record.held.length < MAX_HELD) {
      record.held.push(frame);
      return;
    }
    position.took(offset);
    this.#closeHoles(room, record);
    if (this.#isNews(record, frame, isReplay || record.recovering)) this.#ports.deliver(frame);
  }

  /** A message of ours was taken, or was not: `epoch` and `offset` are its place, as far as the edge names it. */
  settled(room: string, epoch: string | undefined, offset: unknown): void {
    const record = this.#rooms.get(room);
    if (record === undefined) return;
    const { position } = record;
    if (isOffset(offset) && !record.echoes) {
      if (epoch === position.epoch) position.acked(offset);
      else if (epoch !== undefined) this.#keepAck(record, epoch, offset);
    }
    this.#closeHoles(room, record);
  }

  /** `room_gap`: the edge itself missed something. */
  gap(room: string, payload: unknown): void {
    const known = this.position(room);
    const answer = readPosition(payload);
    if (answer !== undefined) {
      this.#moveTo(room, answer, known);
      this.#record(room, answer.offset).claimed = true;
    }
    const { reason } = (payload ?? {}) as { readonly reason?: unknown };
    this.#tellGap(room, typeof reason === 'string' ? reason : 'no_history', known, answer);
  }

  /** Positions outlive the session, answers do not. What was held will be replayed again. */
  sessionLost(): void {
    for (const record of this.#rooms.values()) Object.assign(record, { recovering: false, held: [], replayed: 0 });
  }

  forget(room: string): void {
    this.#rooms.delete(room);
  }

  /** In a replay our own messages settle their `send()` instead; the application has shown them when it sent them. */
  #isNews(record: RoomRecord, frame: Frame, isReplay: boolean): boolean {
    if (record.recovering) record.replayed++;
    if (frame.id === undefined || frame.sender?.id !== this.#ports.user()) return true;
    if (isReplay) return !this.#ports.arrived(frame) || record.echoes;
    if (this.#ports.isInFlight(frame.id)) record.echoes = true;
    return true;
  }

  #closeHoles(room: string, record: RoomRecord): void {
    if (record.recovering) return;
    for (;;) {
      const hole = record.position.closeHole(this.#ports.inFlight(room));
      if (hole === undefined) return;
      this.#ports.gap({ room, reason: 'missed', ...hole });
    }
  }

  /** From here on the edge goes on. Without a known epoch, messages may be here already that came before the answer. */
  #moveTo(room: string, { epoch, offset }: Position, known: Position | undefined): void {
    const record = this.#record(room, offset + 1);
    const early = known === undefined ? record.position.offset : 0;
    record.position = new RoomPosition(epoch, Math.max(offset, early));
    record.claimed = false;
    const { ackedElsewhere } = record;
    if (ackedElsewhere?.epoch !== epoch) return;
    for (const own of ackedElsewhere.offsets) record.position.acked(own);
    record.ackedElsewhere = undefined;
  }

  #keepAck(record: RoomRecord, epoch: string, offset: number): void {
    if (record.ackedElsewhere?.epoch !== epoch) record.ackedElsewhere = { epoch, offsets: [] };
    const { offsets } = record.ackedElsewhere;
    offsets.push(offset);
    if (offsets.length > MAX_ACKED_ELSEWHERE) offsets.shift();
  }

  #isOfAnotherEpoch({ position }: RoomRecord, { epoch }: Frame): boolean {
    return epoch !== undefined && position.epoch !== undefined && epoch !== position.epoch;
  }

  #tellGap(room: string, reason: GapReason, known: Position | undefined, now: Position | undefined): void {
    this.#ports.gap({
      room,
      reason,
      ...(known !== undefined && known.epoch === now?.epoch && { since: known.offset }),
      ...(now !== undefined && { before: now.offset + 1 }),
    });
  }

  /** A room of which `offset` is the first that is heard: what came before is not ours. */
  #record(room: string, offset: number): RoomRecord {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const position = new RoomPosition(undefined, offset - 1);
    const record: RoomRecord = {
      position,
      recovering: false,
      held: [],
      replayed: 0,
      ackedElsewhere: undefined,
      claimed: false,
      echoes: false,
    };
    this.#rooms.set(room, record);
    return record;
  }
}

/** Where the gap ends: at the edge's position, or before what it replayed although older messages are missing. */
function endOfGap(answer: PositionAnswer | undefined, known: Position): Position | undefined {
  if (answer?.replayedFrom === undefined || answer.epoch !== known.epoch) return answer;
  return { epoch: answer.epoch, offset: answer.replayedFrom - 1 };
}

function isWhole(answer: PositionAnswer | undefined, known: Position): boolean {
  if (answer === undefined) return false;
  return answer.recovered ?? (answer.epoch === known.epoch && answer.offset === known.offset);
}
