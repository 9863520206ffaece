/** The presence rules of a namespace's rooms. */
import { namespaceOf } from '@hubbub/protocol';

export interface NamespaceRules {
  /** Rosters are kept and announced, only counted, or not kept. */
  readonly presence: 'on' | 'counts' | 'off';
  /** A user whose last connection ended stays in the roster for this time; 0: leaves immediately. */
  readonly leaveGraceMs: number;
  /** Services are notified when a member joins, drops, returns and leaves. */
  readonly memberEvents?: boolean;
  /** Members that dropped stay, as `online: false`, until they leave by themselves. */
  readonly keepMembers?: KeepMembers;
}

export interface KeepMembers {
  /** From the end of the last connection to `online: false`. */
  readonly offlineAfterMs: number;
  /** From `online: false` to `user_left`. */
  readonly expireAfterMs: number;
}

export interface PresenceRules {
  namespace(name: string): NamespaceRules;
  /** A user without a connection counts as online for this time. Default 5,000. */
  readonly userGraceMs: number;
  /** Users in one `room_info` or `online_users`. Default 100. */
  readonly rosterPageSize: number;
  /** Above so many users a room hears counts instead of single joins and leaves. Default 500. */
  readonly countThreshold: number;
  /** Shortest time between two counts of a room. Default 2,000. */
  readonly countIntervalMs: number;
  /** The most sessions of a user; further ones are refused. 0: no limit. Default 100. */
  readonly maxSessionsPerUser: number;
  /** Rooms of one partition that keep a user who is offline (`keepMembers`); 0: no limit. Default 100. */
  readonly maxKeptRoomsPerUser: number;
}

export const DEFAULT_NAMESPACE_RULES: NamespaceRules = Object.freeze({ presence: 'on', leaveGraceMs: 5000 });

export const DEFAULT_RULES: PresenceRules = Object.freeze({
  namespace: () => DEFAULT_NAMESPACE_RULES,
  userGraceMs: 5000,
  rosterPageSize: 100,
  countThreshold: 500,
  countIntervalMs: 2000,
  maxSessionsPerUser: 100,
  maxKeptRoomsPerUser: 100,
});

export function rulesOfRoom(rules: PresenceRules, room: string): NamespaceRules {
  return rules.namespace(namespaceOf(room));
}
