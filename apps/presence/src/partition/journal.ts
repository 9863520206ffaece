/** The changes since the last commit, from which a partition's effects are made. */
import type { LifecycleEvent } from '@hubbub/protocol';
import type { Announcement, RefusedSession } from './effects.js';

export class Journal {
  /** Room → users whose row changed; a closed room is removed whole. */
  readonly rooms = new Map<string, Set<string>>();
  readonly users = new Set<string>();
  /** Field of `meta` → value; `undefined` takes it out. */
  readonly meta = new Map<string, string | undefined>();
  readonly announcements: Announcement[] = [];
  readonly refused: RefusedSession[] = [];
  readonly lifecycle: LifecycleEvent[] = [];
  /** Each of them changed its room as well. */
  keptMembersRemoved = 0;
  /** Room → node → sessions that joined and get to know who is here. */
  readonly joiners = new Map<string, Map<string, Set<string>>>();
  /** Rooms whose members all get the roster again. */
  readonly refreshes = new Set<string>();
  /** Rooms whose members get a count. */
  readonly counts = new Set<string>();

  /** The room's entry in the index changed, and the user's row where one is named. */
  roomChanged(room: string, user?: string): void {
    const users = this.rooms.get(room);
    if (users === undefined) this.rooms.set(room, new Set(user === undefined ? [] : [user]));
    else if (user !== undefined) users.add(user);
  }

  metaChanged(field: string, value: string | undefined): void {
    this.meta.set(field, value);
  }

  joined(room: string, node: string, session: string): void {
    let nodes = this.joiners.get(room);
    if (nodes === undefined) {
      nodes = new Map();
      this.joiners.set(room, nodes);
    }
    const sessions = nodes.get(node);
    if (sessions === undefined) nodes.set(node, new Set([session]));
    else sessions.add(session);
  }

  clear(): void {
    for (const notes of [this.rooms, this.users, this.meta, this.joiners, this.refreshes, this.counts]) notes.clear();
    for (const list of [this.announcements, this.refused, this.lifecycle]) list.length = 0;
    this.keptMembersRemoved = 0;
  }

  isEmpty(): boolean {
    const { rooms, users, meta, announcements, refused, lifecycle, joiners, refreshes, counts } = this;
    const sizes = [rooms.size, users.size, meta.size, joiners.size, refreshes.size, counts.size];
    const lengths = [announcements.length, refused.length, lifecycle.length];
    return [...sizes, ...lengths].every(size => size === 0);
  }
}
