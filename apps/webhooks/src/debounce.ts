/** Removes changes that were undone within a moment: a room that is occupied and vacated again is as it was. */
import type { LifecycleEntry } from '@hubbub/broker';

type Name = LifecycleEntry['event']['event'];

const OPPOSITES: Readonly<Partial<Record<Name, Name>>> = {
  room_occupied: 'room_vacated',
  room_vacated: 'room_occupied',
  user_online: 'user_offline',
  user_offline: 'user_online',
};

/**
 * @param entries of one room or one user, in order
 * @param withinMs the longest time between a change and its opposite that cancel out
 * @example debounce([occupied at 0, vacated at 300], 1000) // []
 */
export function debounce(entries: readonly LifecycleEntry[], withinMs: number): readonly LifecycleEntry[] {
  const kept: LifecycleEntry[] = [];
  for (const entry of entries) {
    // Events of members may be between the two.
    const index = kept.findLastIndex(({ event }) => OPPOSITES[event.event] !== undefined);
    const before = kept[index];
    if (before !== undefined && isUndone(before, entry, withinMs)) kept.splice(index, 1);
    else kept.push(entry);
  }
  return kept;
}

function isUndone({ event: before }: LifecycleEntry, { event: after }: LifecycleEntry, withinMs: number): boolean {
  return OPPOSITES[before.event] === after.event && after.atMs - before.atMs <= withinMs;
}
