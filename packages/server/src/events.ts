/** Client events as a service sees them: with answers to those who sent them. */
import type { EventEntry, EventLog } from '@hubbub/broker';
import type { ClientEvent } from '@hubbub/protocol';
import { consume } from './consumer/consume.js';
import type { Consumer, ConsumerOptions } from './consumer/source.js';
import type { Publication } from './publication.js';
import type { Publisher } from './publisher.js';

/** What a client told, stamped with what the edge knows, and how to answer. */
export interface ServiceEvent extends ClientEvent {
  /** Unique in the namespace's log: what a repeated handling has in common with the first. */
  readonly entryId: string;
  /** 1 at first; more when earlier tries failed, or ended with their service. */
  readonly attempt: number;
  /** Aborted when another instance may have taken over: long work may stop. */
  readonly signal: AbortSignal;
  /**
   * To the session that sent the event, and no other: with the event's `id` and room unless the message says otherwise.
   * A session that is gone gets nothing; that is no error. Throws as `publishToRoom` does.
   * @example await event.reply({ type: 'error', payload: { code: 'INVALID_PAYLOAD', message: 'A vote names a comparison.' } });
   */
  reply(message: Publication): Promise<void>;
}

export interface EventsOptions extends ConsumerOptions {
  /** Instances of a service share a group; each group gets every event. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly group: string;
}

/** Handles one event. What it throws has the event tried again. */
export type EventHandler = (event: ServiceEvent) => void | Promise<void>;

export interface EventsParts {
  readonly log: EventLog;
  readonly publisher: Publisher;
}

export function consumeEvents(
  { log, publisher }: EventsParts,
  namespace: string,
  { group, ...options }: EventsOptions,
  handler: EventHandler,
): Consumer {
  return consume<EventEntry>(
    {
      source: log.group(namespace, group),
      laneOf: ({ event }) => event.room ?? `session ${event.session.id}`,
      async handle({ event, entryId, attempt }, signal) {
        const reply = (message: Publication): Promise<void> =>
          publisher.toSession(event.session, { id: event.id, ...message }, event.room);
        await handler({ ...event, entryId, attempt, signal, reply });
      },
    },
    options,
  );
}
