/** The users in a room, kept current from the frames of presence by their `version`. */
import type { Frame, RoomInfo, RosterUser } from '@hubbub/protocol';
import { isMembershipChange, isRoomCount, isRoomInfo, isStatusChange } from './frames.js';

/** Changes kept until the first `room_info` of a session: far more than arrive in that time. */
const MAX_EARLY_CHANGES = 1_000;

/** The users of a room of which nothing is known. */
export const NO_USERS: readonly RosterUser[] = [];

/** The change of one frame. */
interface Change {
  readonly version: number;
  readonly count?: number;
  readonly user?: RosterUser;
  /** Whether the user is to be in the roster; absent: only a user who is there already changes. */
  readonly here?: boolean;
}

/**
 * The roster as far as this client knows it. It is from before while the connection is away.
 *
 * @example room.roster.onChange(roster => { list.textContent = roster.users.map(user => user.name).join(', '); });
 */
export class Roster {
  readonly #users = new Map<string, RosterUser>();
  readonly #onChange: (roster: Roster) => void;
  /** `users`, until it changes. */
  #list: readonly RosterUser[] | undefined = NO_USERS;
  #count = 0;
  #version = -Infinity;
  /** Changes that came before this session's `room_info`; `undefined` after it. */
  #early: Change[] | undefined = [];

  constructor(onChange: (roster: Roster) => void) {
    this.#onChange = onChange;
  }

  /**
   * In the order they came, as far as known. In large rooms these are not all: compare with `count`.
   * The same array until it changes: made for stores that compare snapshots, as React's `useSyncExternalStore`.
   */
  get users(): readonly RosterUser[] {
    this.#list ??= [...this.#users.values()];
    return this.#list;
  }

  /** How many users are in the room: exact, also where `users` is not complete. */
  get count(): number {
    return this.#count;
  }

  /** Takes in a frame of the room; others than presence's are ignored. @internal */
  take({ type, payload }: Frame): void {
    if ((type === 'user_joined' || type === 'user_left') && isMembershipChange(payload)) {
      this.#apply({ ...payload, here: type === 'user_joined' });
    } else if (type === 'user_status' && isStatusChange(payload)) this.#apply(payload);
    else if (type === 'room_count' && isRoomCount(payload)) this.#apply(payload);
    else if ((type === 'room_info' || type === 'online_users') && isRoomInfo(payload)) this.#replace(type, payload);
    else return;
    this.#changed(undefined);
  }

  /**
   * A new session: its `room_info` counts whatever its version, for the registry may have been reset meanwhile.
   * @internal
   */
  expectFresh(): void {
    this.#early = [];
  }

  /** The room was left: nothing is known any more. @internal */
  clear(): void {
    this.#users.clear();
    this.#count = 0;
    this.#version = -Infinity;
    this.expectFresh();
    this.#changed(NO_USERS);
  }

  #changed(list: readonly RosterUser[] | undefined): void {
    this.#list = list;
    this.#onChange(this);
  }

  #replace(type: string, info: RoomInfo): void {
    const early = this.#early;
    // An answer that a change overtook; but the first word of a session is believed.
    if (!early && info.version < this.#version) return;
    if (type === 'room_info') this.#early = undefined;
    this.#users.clear();
    for (const user of info.users) this.#users.set(user.id, user);
    this.#count = info.count;
    this.#version = info.version;
    for (const change of early ?? []) this.#apply(change);
  }

  #apply(change: Change): void {
    if (this.#early !== undefined && this.#early.length < MAX_EARLY_CHANGES) this.#early.push(change);
    if (change.version <= this.#version) return;
    const { user, here, count } = change;
    if (user) {
      if (here ?? this.#users.has(user.id)) this.#users.set(user.id, user);
      else this.#users.delete(user.id);
    }
    this.#count = count ?? this.#count;
    this.#version = change.version;
  }
}
