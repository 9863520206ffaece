/** The rooms of a partition that keep a user who is offline, in the order in which the user's last connection there ended. */

export class KeptMembers {
  /** User → room → when the last connection ended. */
  readonly #rooms = new Map<string, Map<string, number>>();
  readonly #max: number;

  /** @param max rooms of one user; 0: no limit */
  constructor(max: number) {
    this.#max = max || Number.POSITIVE_INFINITY;
  }

  /** Adds the room as the newest of the user. */
  add(user: string, room: string, lastSeenMs: number): void {
    const rooms = this.#rooms.get(user) ?? new Map<string, number>();
    rooms.delete(room);
    rooms.set(room, lastSeenMs);
    this.#rooms.set(user, rooms);
  }

  delete(user: string, room: string): void {
    const rooms = this.#rooms.get(user);
    if (rooms?.delete(room) && rooms.size === 0) this.#rooms.delete(user);
  }

  /** The room that has kept the user longest, where the user has too many. */
  oldestAboveLimit(user: string): string | undefined {
    const rooms = this.#rooms.get(user);
    return rooms === undefined || rooms.size <= this.#max ? undefined : rooms.keys().next().value;
  }

  /** Restores the order after rooms were added as the registry has them. */
  sort(): void {
    for (const [user, rooms] of this.#rooms) {
      if (rooms.size > 1) this.#rooms.set(user, new Map([...rooms].sort(([, a], [, b]) => a - b)));
    }
  }
}
