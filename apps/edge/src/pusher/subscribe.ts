/** pusher:subscribe: the signature of a subscription becomes a grant for the one room of its channel. */
import { HubbubError, isPlainObject, type SessionLimits } from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import { CACHE_MISS, type ChannelKind, cacheMissText, channelKind, SUBSCRIBE_ID } from '@hubbub/protocol/pusher';
import type { Grant } from '../admission/rights.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { Memberships } from '../rooms/memberships.js';
import type { FrameHandler } from '../sessions/receiver.js';
import type { Session } from '../sessions/session.js';
import { connectionOf } from './connections.js';
import { memberOf } from './member.js';
import type { ReportEvent } from './service-events.js';
import { assertSigned } from './signature.js';

export interface SubscribeParts {
  readonly memberships: Pick<Memberships, 'join'>;
  readonly limits: Pick<SessionLimits, 'max_rooms'>;
  readonly report: ReportEvent;
}

export function handleSubscribe({ memberships, limits, report }: SubscribeParts): FrameHandler {
  return async (session, frame) => {
    const { room, channel, kind } = target(frame);
    const grant = { rights: rightsOf(kind), ...authorize(session, frame, channel, kind) } satisfies Grant;
    if (!session.rooms.has(room) && session.rooms.size >= limits.max_rooms) {
      throw new LimitExceeded('rooms', 'ROOM_LIMIT', `A connection can have ${limits.max_rooms} channels.`);
    }
    const recovery = await memberships.join(session, room, {
      grant,
      ...(kind.isCache && { since: 'last_message' }),
      // Before the first event of the channel. The roster answers a subscription of a presence channel.
      announce: () => {
        if (!kind.isPresence) session.acknowledge({ id: SUBSCRIBE_ID }, room);
      },
    });
    if (!kind.isCache || session.closed) return;
    if (recovery?.recovered === true && (recovery.offset ?? 0) > 0) return;
    session.socket.send(cacheMissText(room), false);
    report(session, room, { event: CACHE_MISS });
  };
}

interface Target {
  readonly room: string;
  readonly channel: string;
  readonly kind: ChannelKind;
}

function target({ room, payload }: ClientFrame): Target {
  const channel = isPlainObject(payload) ? payload.channel : undefined;
  if (typeof channel !== 'string') throw new HubbubError('INVALID_PAYLOAD', 'data.channel: expected text.');
  const kind = channelKind(channel);
  if (kind !== undefined && room !== undefined) return { room, channel, kind };
  // The name may be long, and the answer repeats it.
  const details = { channel: channel.slice(0, 200) };
  throw new HubbubError('INVALID_ROOM', 'The name of the channel is malformed, or too long.', { details });
}

/** @throws {HubbubError} `UNAUTHORIZED` */
function authorize(
  session: Session,
  { payload }: ClientFrame,
  channel: string,
  kind: ChannelKind,
): Pick<Grant, 'member'> {
  const { app, user } = connectionOf(session);
  if (kind.userId !== undefined) {
    if (kind.userId === user?.id) return {};
    throw new HubbubError('UNAUTHORIZED', 'Sign in as the user of this channel first.');
  }
  if (!kind.isPrivate) return {};
  const { auth, channel_data: channelData } = isPlainObject(payload) ? payload : {};
  if (channelData !== undefined && typeof channelData !== 'string') {
    throw new HubbubError('INVALID_PAYLOAD', 'data.channel_data: expected text that holds JSON.');
  }
  // Back ends may sign it for private channels too, where it has no meaning.
  const signed = [session.id, channel, ...(channelData === undefined ? [] : [channelData])];
  assertSigned(app, auth, signed.join(':'));
  return kind.isPresence ? { member: memberOf(channelData, user) } : {};
}

function rightsOf({ isPrivate, isEncrypted, isCache, userId }: ChannelKind): Grant['rights'] {
  const mayPublish = isPrivate && !isEncrypted && userId === undefined;
  return ['join', ...(mayPublish ? (['publish'] as const) : []), ...(isCache ? (['history'] as const) : [])];
}
