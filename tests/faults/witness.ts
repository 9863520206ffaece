/** The view of one member of one room of the stream of numbered messages, and the checks of one member alone. */
import type { Room } from '@hubbub/client';
import type { HistoryRecord } from './history-checker.js';

/** The view of one member of one room. */
export class Witness {
  readonly numbers: number[] = [];
  /**
   * Those of the current epoch. A failover may lose a message that members have and that its publisher sends again: after
   * `new_epoch` it comes twice.
   */
  readonly numbersOfEpoch: number[] = [];
  /** The offsets of the current epoch, if the room has a history. */
  readonly offsets: number[] = [];
  readonly gaps: string[] = [];
  /** The latencies of the messages sent since `startMeasuring`; for replayed ones they include the gap. */
  readonly latenciesMs: number[] = [];
  #measuredSinceMs = 0;

  constructor(room: Room, member: string, record: HistoryRecord) {
    room.on('new_message', frame => {
      record.deliver(room.name, member, Number(frame.payload?.n), frame);
      this.numbers.push(Number(frame.payload?.n));
      this.numbersOfEpoch.push(Number(frame.payload?.n));
      if (frame.offset !== undefined) this.offsets.push(frame.offset);
      const sentAtMs = Number(frame.payload?.sentAtMs);
      if (sentAtMs >= this.#measuredSinceMs) this.latenciesMs.push(performance.now() - sentAtMs);
    });
    room.onRecovered(() => record.notice(room.name, member, 'recovered'));
    room.onGap(gap => {
      record.notice(room.name, member, 'loss');
      this.gaps.push(gap.reason);
      if (gap.reason === 'new_epoch') this.offsets.length = this.numbersOfEpoch.length = 0;
    });
  }

  startMeasuring(): void {
    this.latenciesMs.length = 0;
    this.#measuredSinceMs = performance.now();
  }
}

export function twice(numbers: readonly number[]): number[] {
  return numbers.filter((n, index) => numbers.indexOf(n) !== index);
}

export function descents(offsets: readonly number[]): Array<[number, number]> {
  return offsets.slice(1).flatMap((next, index) => {
    const one = offsets[index] ?? 0;
    return next > one ? [] : [[one, next] as [number, number]];
  });
}

/** Whether the common elements have the same order in both. */
export function sameOrder(one: readonly number[], other: readonly number[]): boolean {
  const [inOne, inOther] = [new Set(one), new Set(other)];
  const common = other.filter(n => inOne.has(n));
  return one.filter(n => inOther.has(n)).every((n, index) => n === common[index]);
}
