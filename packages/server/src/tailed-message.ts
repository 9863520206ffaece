/** A message on a channel, as tail shows it: envelopes of either encoding, and the plain JSON of services. */
import {
  type Address,
  type Control,
  decodeEnvelope,
  type EnvelopeHeader,
  HubbubError,
  isEnvelope,
  jsonCodec,
  toJsonValue,
} from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';

/** One line of `tail --json`. */
export interface TailedMessage {
  readonly to: Address;
  /** RFC 3339; the time of receipt, if the publisher gave none. */
  readonly at: string;
  /** `plain`: JSON without an envelope, as redis-cli writes it. */
  readonly encoding: EnvelopeHeader['encoding'] | 'plain';
  readonly offset?: number;
  readonly epoch?: string;
  readonly exclude_session?: string;
  readonly exclude_user?: string;
  readonly key?: string;
  /** The frame that clients get; binary values in their JSON form (PROTOCOL.md). */
  readonly frame?: unknown;
  /** The command to the edges, instead of a frame. */
  readonly control?: Control;
}

/** `undefined` for bytes that an edge would drop: neither an envelope nor JSON. */
export function decodeTailedMessage(to: Address, bytes: Uint8Array): TailedMessage | undefined {
  try {
    if (!isEnvelope(bytes)) {
      return { to, at: new Date().toISOString(), encoding: 'plain', frame: jsonCodec.decode(bytes) };
    }
    const envelope = decodeEnvelope(bytes);
    if (envelope === undefined) return undefined;
    const { encoding, body, control, offset, epoch, excludeSession, excludeUser, conflationKey } = envelope;
    return {
      to,
      at: new Date(envelope.publishedAtMs).toISOString(),
      encoding,
      ...(offset !== undefined && { offset }),
      ...(epoch !== undefined && { epoch }),
      ...(excludeSession !== undefined && { exclude_session: excludeSession }),
      ...(excludeUser !== undefined && { exclude_user: excludeUser }),
      ...(conflationKey !== undefined && { key: conflationKey }),
      ...(control !== undefined ? { control } : { frame: frameOf(encoding, body) }),
    };
  } catch (error) {
    // A malformed body or time: any program may write to the channel.
    if (error instanceof HubbubError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function frameOf(encoding: EnvelopeHeader['encoding'], body: Uint8Array): unknown {
  return encoding === 'json' ? jsonCodec.decode(body) : toJsonValue(msgpackCodec.decode(body));
}
