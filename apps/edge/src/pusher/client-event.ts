/** Client events: published to the other subscribers of a channel, and kept nowhere. */
import { HubbubError, type SessionLimits } from '@hubbub/protocol';
import { channelKind, EVENT_FRAME, type PusherEvent } from '@hubbub/protocol/pusher';
import { TokenBucket } from '@hubbub/runtime';
import { requiredPayload } from '../frames/frame-fields.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { RoomPublisher } from '../rooms/room-publisher.js';
import type { FrameHandler } from '../sessions/receiver.js';
import { connectionOf } from './connections.js';
import type { ReportEvent } from './service-events.js';

export interface ClientEventParts {
  readonly publisher: Pick<RoomPublisher, 'publishSignal'>;
  readonly report: ReportEvent;
  readonly limits: SessionLimits;
}

export function handleClientEvent({ publisher, report, limits }: ClientEventParts): FrameHandler {
  return (session, frame) => {
    const { event, channel, data } = requiredPayload(frame, limits);
    const { room } = frame;
    const kind = typeof channel === 'string' ? channelKind(channel) : undefined;
    if (room === undefined || kind === undefined || typeof event !== 'string') {
      throw new HubbubError('INVALID_ROOM', 'channel: expected the name of a channel.');
    }
    const connection = connectionOf(session);
    const { app } = connection;
    if (!app.clientEvents) throw new HubbubError('FORBIDDEN', 'Client events are not enabled for this app.');
    if (!session.rooms.has(room)) throw new HubbubError('NOT_IN_ROOM', 'Subscribe to the channel first.');
    if (!session.allows(room, 'publish')) {
      throw new HubbubError('FORBIDDEN', 'Client events need a private or presence channel that is not encrypted.');
    }
    const { clientEventsPerSecond: perSecond } = app;
    const nowMs = performance.now();
    connection.clientEvents ??= new TokenBucket({ perSecond, burst: perSecond }, nowMs);
    if (connection.clientEvents.waitMs(nowMs) > 0) {
      throw new LimitExceeded('client_events', 'RATE_LIMITED', `More than ${perSecond} client events per second.`);
    }
    connection.clientEvents.take();
    const member = kind.isPresence ? { user_id: session.userIn(room).id } : {};
    const payload = { event, data, ...member } satisfies PusherEvent;
    // Not returned: the connection's next frames need not wait for Redis, which keeps the order.
    publisher.publishSignal(session, room, { type: EVENT_FRAME, payload }).catch((error: HubbubError) => {
      session.refuse({ room }, error);
    });
    report(session, room, payload);
  };
}
