/**
 * Keeps the rosters of a room in order with its changes, for clients of the Pusher protocol, which know no versions. A roster
 * comes on the channel of this edge, and changes on that of the room. Through two servers of Redis, a change may overtake a
 * roster that does not have it yet. Its member would then be missing, or stay.
 */
import { type Envelope, isPlainObject, peekType } from '@hubbub/protocol';
import { CODECS } from '@hubbub/protocol/msgpack';

type Body = Pick<Envelope, 'encoding' | 'body'>;

const CHANGES: ReadonlySet<string | undefined> = new Set(['user_joined', 'user_left']);

/** Whether a session takes the roster. */
export type RosterVerdict = (session: object) => boolean;
const ACCEPTED: RosterVerdict = () => true;

export class RosterOrder {
  /** The newest version of each room that its members here got. */
  readonly #newest = new WeakMap<object, number>();
  /** That version at the last refusal, by room and session. */
  readonly #refused = new WeakMap<object, WeakMap<object, number>>();

  /** Members of the room get this message. */
  changed(room: object, message: Body): void {
    if (!CHANGES.has(peekType(message.encoding, message.body))) return;
    const version = versionOf(message);
    if (version !== undefined) this.#newest.set(room, version);
  }

  /** The verdict is false where a change has overtaken the roster: the session must ask again. */
  judge(room: object, message: Body): RosterVerdict {
    const newest = this.#newest.get(room);
    if (newest === undefined || peekType(message.encoding, message.body) !== 'room_info') return ACCEPTED;
    const version = versionOf(message);
    if (version === undefined || version >= newest) return ACCEPTED;
    const refused = this.#refused.get(room) ?? new WeakMap<object, number>();
    this.#refused.set(room, refused);
    return session => {
      // Presence had that version when the session asked again: it has lost the registry, and versions begin lower.
      if (version < (refused.get(session) ?? Number.NEGATIVE_INFINITY)) return true;
      refused.set(session, newest);
      return false;
    };
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
