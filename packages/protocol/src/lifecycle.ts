/** Lifecycle events: what services learn of users and rooms from presence's streams (PROTOCOL.md section 7.1). */

export const LIFECYCLE_EVENTS = ['user_online', 'user_offline', 'room_occupied', 'room_vacated'] as const;
export type LifecycleEventName = (typeof LIFECYCLE_EVENTS)[number];

/** A user, a room, or a member of a room: who and since when. */
export type LifecycleEvent =
  | { readonly event: 'user_online' | 'user_offline'; readonly user: string; readonly atMs: number }
  | { readonly event: 'room_occupied' | 'room_vacated'; readonly room: string; readonly atMs: number };
