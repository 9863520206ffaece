/** A client in the room `general` of a fake edge whose rooms have a history. */
import type { HubbubClient, Room } from '@hubbub/client';
import type { Frame } from '@hubbub/protocol';
import { vi } from 'vitest';
import { FakeEdge, type FakeSocket, turn, willing } from '../../../client/test/support/fake-edge.js';

/** The messages of the room from `first` on, and the epoch of their history. */
export class HistoricRoom {
  readonly edge = new FakeEdge();
  epoch = 'e1';
  messages: Frame[] = [];
  /** Whether requests to the history fail. */
  isBroken = false;
  /** The queries of the requests to the history. */
  readonly queries: unknown[] = [];
  #client: HubbubClient | undefined;
  #room: Room | undefined;

  /** A history of the offsets `first` to `last`; later ones follow with `publish`. */
  constructor(first: number, last: number) {
    for (let offset = first; offset <= last; offset++) this.append(offset);
    this.edge.answer = (frame, socket) => this.#answer(frame, socket);
  }

  /** Connects; the room is not joined yet. */
  async connect(): Promise<Room> {
    // The support of the client uses its sources, the package that is tested uses its build.
    const client = (await this.edge.openClient()) as unknown as HubbubClient;
    this.#client = client;
    this.#room = client.room('general');
    return this.#room;
  }

  get client(): HubbubClient {
    if (this.#client === undefined) throw new Error('Call connect() first.');
    return this.#client;
  }

  get lastOffset(): number {
    return this.messages.at(-1)?.offset ?? 0;
  }

  append(offset: number, more: Partial<Frame> = {}): Frame {
    const sender = { id: 'b', name: 'B' };
    const frame = {
      type: 'new_message',
      room: 'general',
      id: `m${offset}`,
      sender,
      payload: { n: offset },
      offset,
      ...more,
    };
    this.messages.push(frame);
    return frame;
  }

  /** Appends the next message and delivers it. */
  publish(more: Partial<Frame> = {}): void {
    this.edge.socket.receive(this.append(this.lastOffset + 1, more));
  }

  /** Breaks the connection and opens the next session, in which the edge answers the resume with this. */
  async reconnect(answer: object, replayed: readonly Frame[] = []): Promise<void> {
    this.edge.socket.end(1006);
    const usual = this.edge.answer;
    this.edge.answer = (frame, socket) => {
      if (frame.type !== 'resume') return usual(frame, socket);
      for (const message of replayed) socket.receive(message);
      const rooms = [{ room_id: 'general', epoch: this.epoch, offset: this.lastOffset, ...answer }];
      socket.receive({ type: 'ack', ...(frame.id !== undefined && { id: frame.id }), payload: { rooms } });
    };
    await vi.advanceTimersByTimeAsync(1_000);
    await this.edge.accept();
    await turn();
    this.edge.answer = usual;
  }

  #answer(frame: Frame, socket: FakeSocket): void {
    const { type, id = '', payload = {} } = frame;
    if (type === 'history') {
      this.queries.push(payload);
      if (this.isBroken) socket.receive({ type: 'error', id, payload: { code: 'UNAVAILABLE', message: 'broken' } });
      else socket.receive({ type: 'history', id, payload: this.#page(payload) });
    } else if (type === 'join_room') {
      socket.receive({ type: 'ack', id, payload: { epoch: this.epoch, offset: this.lastOffset } });
    } else if (type === 'send_message') {
      const { offset = 0 } = this.append(this.lastOffset + 1, { id, sender: { id: 'u1', name: 'One' }, payload });
      socket.receive({ type: 'ack', id, timestamp: '2026-01-31T12:00:00.000Z', epoch: this.epoch, offset });
    } else willing(frame, socket);
  }

  #page({ before = Infinity, limit = 100 }: { readonly before?: unknown; readonly limit?: unknown }) {
    const older = this.messages.filter(({ offset = 0 }) => offset < Number(before));
    const messages = older.slice(-Number(limit));
    const more = older.length > messages.length;
    return { room_id: 'general', epoch: this.epoch, messages, more, ...(more && { next: messages[0]?.offset }) };
  }
}
