/** Lifecycle events: what services learn of users and rooms from presence's streams (docs/redis-contract.md). */

export const LIFECYCLE_EVENTS = [
  'user_online',
  'user_offline',
  'room_occupied',
  'room_vacated',
  'member_joined',
  'member_left',
  'member_offline',
  'member_online',
] as const;
export type LifecycleEventName = (typeof LIFECYCLE_EVENTS)[number];

export type UserEventName = Extract<LifecycleEventName, `user_${string}`>;
export type RoomEventName = Extract<LifecycleEventName, `room_${string}`>;
export type MemberEventName = Extract<LifecycleEventName, `member_${string}`>;

/** Why a member left: by itself, removed by a service, or because it did not reconnect in time. */
export type LeaveReason = 'left' | 'dropped';

/** A member of a room of a namespace with `memberEvents`. */
export interface MemberEvent {
  readonly event: MemberEventName;
  readonly room: string;
  readonly user: string;
  readonly name: string;
  /** With `member_left`. */
  readonly reason?: LeaveReason;
  readonly atMs: number;
}

/** A change of a user, a room, or a member of a room. */
export type LifecycleEvent =
  | { readonly event: UserEventName; readonly user: string; readonly atMs: number }
  | { readonly event: RoomEventName; readonly room: string; readonly atMs: number }
  | MemberEvent;

/**
 * Events may be missing before those that follow. `began`: the group had no place, because it is new or was away for a day.
 * `missed`: the streams lost events that it had not read.
 */
export interface LifecycleGap {
  readonly event: 'lifecycle_gap';
  readonly reason: 'began' | 'missed';
  readonly atMs: number;
}

/** The event as the fields of its stream entry: names and values in turn. */
export function lifecycleFields(event: LifecycleEvent | LifecycleGap): string[] {
  const fields = ['event', event.event];
  if ('room' in event) fields.push('room', event.room);
  if ('user' in event) fields.push('user', event.user);
  if ('name' in event) fields.push('name', event.name);
  if ('reason' in event && event.reason !== undefined) fields.push('reason', event.reason);
  fields.push('at', String(event.atMs));
  return fields;
}

/** The event in the fields of an entry; `undefined` when it is malformed. */
export function readLifecycleFields(
  fields: Readonly<Record<string, string>>,
): LifecycleEvent | LifecycleGap | undefined {
  const { event, user, room, name, reason, at } = fields;
  const atMs = Number(at);
  if (!Number.isSafeInteger(atMs)) return undefined;
  switch (event) {
    case 'user_online':
    case 'user_offline':
      return user === undefined ? undefined : { event, user, atMs };
    case 'room_occupied':
    case 'room_vacated':
      return room === undefined ? undefined : { event, room, atMs };
    case 'member_joined':
    case 'member_left':
    case 'member_offline':
    case 'member_online': {
      if (user === undefined || room === undefined || name === undefined) return undefined;
      const member = { event, room, user, name, atMs };
      return reason === 'left' || reason === 'dropped' ? { ...member, reason } : member;
    }
    case 'lifecycle_gap':
      return reason === 'began' || reason === 'missed' ? { event, reason, atMs } : undefined;
    default:
      return undefined;
  }
}
