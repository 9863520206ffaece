/** The rooms that somebody uses: those that the client is in or wants to be in, and those with a handle that listens. */
import type { Frame, HubbubError } from '@hubbub/protocol';
import type { CallOptions } from './calls.js';
import type { Welcome } from './frames.js';
import { readPosition, readResumeAnswer, resumeGroups } from './resume-frames.js';
import { type ClientParts, SharedRoom } from './shared-room.js';

export class Rooms {
  readonly #client: ClientParts;
  readonly #rooms = new Map<string, SharedRoom>();
  /** The room of the path, as the last `welcome` named it. */
  #pathRooms: readonly string[] | undefined;

  constructor(client: ClientParts) {
    this.#client = client;
  }

  find(name = ''): SharedRoom | undefined {
    return this.#rooms.get(name);
  }

  /** The room, which is kept while it is used. */
  use(name: string): SharedRoom {
    const room = this.#rooms.get(name) ?? new SharedRoom(name, this.#client, this);
    this.#rooms.set(name, room);
    return room;
  }

  /** Sends a frame of a room as its outbox does. */
  async submit(frame: Frame, options?: CallOptions): Promise<Frame> {
    const { room = '' } = frame;
    try {
      return await this.use(room).outbox.submit(frame, options);
    } finally {
      this.tidy(room);
    }
  }

  /** Leaves the room for all its handles and stops their listeners. */
  async remove(name: string): Promise<void> {
    const room = this.use(name);
    const left = room.membership.leave();
    room.stopListeners();
    this.tidy(name);
    await left;
  }

  isMaybeOfPath(name: string): boolean {
    // Before the first session any room may be that of the path.
    return this.#pathRooms?.includes(name) ?? true;
  }

  /** Forgets the room if it is unused. */
  tidy(name: string): void {
    if (this.#rooms.get(name)?.isIdle) this.#rooms.delete(name);
  }

  /** The position in the room of the path, for the query of the next attempt (PROTOCOL.md section 1.1). */
  pathQuery(): string {
    const position = this.find(this.#pathRooms?.[0])?.recovery.begin();
    return position ? `epoch=${encodeURIComponent(position.epoch)}&offset=${position.offset}` : '';
  }

  /** A session began; it is in the room of its path already. */
  sessionBegan({ rooms: pathRooms, position }: Pick<Welcome, 'rooms' | 'position'>): void {
    this.#pathRooms = pathRooms;
    for (const name of pathRooms) void this.use(name).membership.foundIn(readPosition(position));
    const resumed: SharedRoom[] = [];
    for (const room of this.#rooms.values()) {
      const { name, membership } = room;
      if (pathRooms.includes(name)) continue;
      membership.notOfPath();
      if (membership.isResumable) resumed.push(room);
      else if (membership.isPending) void membership.attempt();
      else this.tidy(name);
    }
    const limits = this.#client.session()?.limits ?? {};
    for (const group of resumeGroups(resumed, ({ membership }) => membership.place(), limits)) this.#resume(group);
    this.checkRestored();
  }

  sessionLost(): void {
    for (const room of this.#rooms.values()) room.sessionLost();
  }

  flush(): void {
    for (const { outbox } of this.#rooms.values()) outbox.flush();
  }

  /** No session will come: nothing is pending, and all rooms are left. */
  end(error: HubbubError): void {
    // Before the rooms are left: what their listeners send is for the next session.
    for (const { outbox } of this.#rooms.values()) outbox.refuse(error);
    // A copy: a listener may join again.
    const rooms = [...this.#rooms.values()].filter(({ membership }) => membership.state !== 'left');
    for (const { membership } of rooms) membership.drop(error);
    for (const { membership, name } of this.#rooms.values()) {
      membership.notOfPath();
      this.tidy(name);
    }
  }

  checkRestored(): void {
    for (const { membership } of this.#rooms.values()) if (membership.isPending) return;
    this.#client.connection.step('restored');
  }

  /** Many rooms in one frame. */
  #resume(group: readonly SharedRoom[]): void {
    const payload = { rooms: group.map(({ membership }) => membership.place()) };
    const answers = this.#client.requests.send({ type: 'resume', payload }).then(readResumeAnswer, error => error);
    for (const { membership } of group) void membership.resume(answers);
  }
}
