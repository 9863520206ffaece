/** Names of lanes: one for each room, or for each session or user where events are about no room, and one for gaps. */
import type { EventEntry, LifecycleEntry } from '@hubbub/broker';

export function eventLane({ event }: EventEntry): string {
  return event.room === undefined ? `session ${event.session.id}` : `room ${event.room}`;
}

export function lifecycleLane({ event }: LifecycleEntry): string {
  if (event.event === 'lifecycle_gap') return 'gap';
  return 'room' in event ? `room ${event.room}` : `user ${event.user}`;
}
