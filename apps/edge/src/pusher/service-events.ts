/** Events of channels that the webhooks of an app want: appended to the log of the app's namespace. */
import { HubbubError } from '@hubbub/protocol';
import { EVENT_FRAME, type PusherEvent } from '@hubbub/protocol/pusher';
import type { EventPublisher } from '../services/event-publisher.js';
import type { Session } from '../sessions/session.js';

export type ReportEvent = (session: Session, room: string, event: PusherEvent) => void;

/** A failure here changes nothing for the members of the room. */
export function createEventReports(events: Pick<EventPublisher, 'takes' | 'takeShare' | 'append'>): ReportEvent {
  return (session, room, event) => {
    if (!events.takes(EVENT_FRAME, room)) return;
    try {
      events.takeShare(session, room);
    } catch (error) {
      // Services are behind, and the client cannot do anything about it: it waits for no answer.
      if (error instanceof HubbubError) return;
      throw error;
    }
    const content = { type: EVENT_FRAME, room, id: session.nextMessageId(), payload: { ...event } };
    events.append(session, content).catch(() => {}); // Counted where it failed.
  };
}
