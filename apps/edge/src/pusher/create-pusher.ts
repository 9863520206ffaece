/** The Pusher protocol of an edge: its connections, and the handlers of their frames. Rooms, limits and fan-out are shared. */
import type { Config } from '@hubbub/config';
import { HubbubError, isPlainObject, type SessionLimits } from '@hubbub/protocol';
import { kindOfRoom } from '@hubbub/protocol/pusher';
import type { AdmissionPolicy } from '../admission/admission.js';
import type { Memberships } from '../rooms/memberships.js';
import type { RoomPublisher } from '../rooms/room-publisher.js';
import type { EventPublisher } from '../services/event-publisher.js';
import { createReceiver, type FrameHandler, type Receive, type ReceiverParts } from '../sessions/receiver.js';
import type { Session } from '../sessions/session.js';
import { handleClientEvent } from './client-event.js';
import { decodePusherFrame } from './client-frames.js';
import { type AdmitPusher, createPusherAdmission } from './pusher-admission.js';
import { createEventReports } from './service-events.js';
import { handleSignin } from './signin.js';
import { handleSubscribe } from './subscribe.js';
import type { Watchlists } from './watchlists.js';

export interface PusherParts extends Omit<ReceiverParts, 'handlers' | 'decode'>, Pick<AdmissionPolicy, 'sources'> {
  readonly nextSocketId: () => string;
  readonly memberships: Memberships;
  readonly publisher: RoomPublisher;
  readonly events: EventPublisher;
  readonly watchlists: Watchlists | undefined;
  readonly sessionLimits: SessionLimits;
}

export interface Pusher {
  readonly admit: AdmitPusher;
  readonly receive: Receive;
  /** The connection ended. */
  readonly closed: (session: Session) => void;
}

/** `undefined` without apps. */
export function createPusher({ pusherApps: apps }: Pick<Config, 'pusherApps'>, parts: PusherParts): Pusher | undefined {
  if (apps.length === 0) return undefined;
  const { memberships, publisher, events, watchlists, sessionLimits: limits } = parts;
  const report = createEventReports(events);
  return {
    admit: createPusherAdmission({ ...parts, apps }),
    receive: createReceiver({
      ...parts,
      decode: decodePusherFrame,
      handlers: {
        join_room: handleSubscribe({ memberships, limits, report }),
        leave_room: (session, { room }) => {
          // The room of the user stays: by closing it the app ends the connections of the user.
          if (room === undefined || kindOfRoom(room) === '.user' || !session.rooms.has(room)) return;
          memberships.leave(session, room);
        },
        refresh: handleSignin({ memberships, watchlists }),
        send_message: handleClientEvent({ publisher, report, limits }),
        ping: (session, { payload }) => {
          if (!isPlainObject(payload)) session.answer({}, { type: 'pong' }); // Otherwise it is the answer to a ping.
        },
        // The decoder makes none of these.
        typing: refuse,
        stop_typing: refuse,
        online_users: refuse,
        set_status: refuse,
        resume: refuse,
        history: refuse,
        client_event: refuse,
      },
    }),
    closed: session => watchlists?.release(session),
  };
}

const refuse: FrameHandler = (_session, { type }) => {
  throw new HubbubError('UNKNOWN_TYPE', `The Pusher protocol has no ${type}.`);
};
