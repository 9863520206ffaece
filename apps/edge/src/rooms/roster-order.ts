/**
 * Keeps the rosters of a room in order with its changes, for clients of the Pusher protocol, which know no versions. A roster
 * comes on the channel of this edge, and changes on that of the room. Through two servers of Redis, a change may overtake a
 * roster that does not have it yet. Its member would then be missing, or stay.
 */
import { type Envelope, isPlainObject, peekType } from '@hubbub/protocol';
import { CODECS } from '@hubbub/protocol/msgpack';

type Body = Pick<Envelope, 'encoding' | 'body'>;

const CHANGES: ReadonlySet<string | undefined> = new Set(['user_joined', 'user_left']);

export class RosterOrder {
  /** The newest version of each room that its members here got. */
  readonly #versions = new WeakMap<object, number>();

  /** Members of the room get this message. */
  changed(room: object, message: Body): void {
    if (!CHANGES.has(peekType(message.encoding, message.body))) return;
    const version = versionOf(message);
    if (version !== undefined) this.#versions.set(room, version);
  }

  /** False for a roster that a change has overtaken: it must be asked for again. The answer to that is accepted. */
  accepts(room: object, message: Body): boolean {
    const newest = this.#versions.get(room);
    if (newest === undefined || peekType(message.encoding, message.body) !== 'room_info') return true;
    const version = versionOf(message);
    if (version === undefined || version >= newest) return true;
    // Versions may begin lower after a loss of the registry: then it is asked for once, and not again and again.
    this.#versions.set(room, version);
    return false;
  }
}

function versionOf({ encoding, body }: Body): number | undefined {
  try {
    const frame = CODECS[encoding].decode(body);
    const payload = isPlainObject(frame) ? frame.payload : undefined;
    return isPlainObject(payload) && typeof payload.version === 'number' ? payload.version : undefined;
  } catch {
    return undefined; // Malformed: counted where the frame is made.
  }
}
