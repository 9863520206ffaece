/** The positions of one reader in its rooms: each event gets the reader's own id (PROTOCOL.md section 10.2). */
import { POSITION_SEPARATOR, type Position, writeStreamPosition } from '@hubbub/protocol';

const LINE_FEED = 0x0a;
const ID = Buffer.from('id: ');
/** In every event of a room: the room is the first field of its frame. */
const ROOM = Buffer.from('data: {"room":"');
const QUOTE = 0x22;

export class ReaderPositions {
  readonly #rooms: readonly string[];
  readonly #positions: string[];

  constructor(rooms: readonly string[], since: readonly (Position | undefined)[]) {
    this.#rooms = rooms;
    this.#positions = since.map(position => (position === undefined ? '' : writeStreamPosition(position)));
  }

  /** The event with the id of this reader in place of its position. A room that the request does not name moves nothing. */
  take(event: Uint8Array): Uint8Array {
    const bytes = Buffer.from(event.buffer, event.byteOffset, event.byteLength);
    if (ID.compare(bytes, 0, ID.length) !== 0) return event;
    const idEnd = bytes.indexOf(LINE_FEED);
    const rest = bytes.subarray(idEnd + 1);
    const roomStart = rest.indexOf(ROOM) + ROOM.length;
    const at = this.#rooms.indexOf(rest.toString('latin1', roomStart, rest.indexOf(QUOTE, roomStart)));
    if (at === -1) return rest;
    this.#positions[at] = bytes.toString('latin1', ID.length, idEnd);
    return Buffer.concat([Buffer.from(`id: ${this.#positions.join(POSITION_SEPARATOR)}\n`), rest]);
  }
}
