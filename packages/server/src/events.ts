/** Client events as a service sees them: with answers to those who sent them. */
import type { EventEntry, EventLog } from '@hubbub/broker';
import type { ClientEvent } from '@hubbub/protocol';
import { groupName, namespaceName, wrong } from './checks.js';
import { consume } from './consumer/consume.js';
import type { Consumer, ConsumerOptions, Entry } from './consumer/source.js';
import type { Publication } from './publication.js';
import type { Publisher } from './publisher.js';

/** A client event, with the sender as the edge knows it, and a way to answer. */
export interface ServiceEvent extends ClientEvent {
  /** Unique in the namespace's log: what a repeated handling has in common with the first. */
  readonly entryId: string;
  /** Which try this is: 1 at first; more when earlier ones failed, or ended with their service. */
  readonly attempt: number;
  /** Aborted when another instance may have taken over, or the try takes too long: long work may stop. */
  readonly signal: AbortSignal;
  /**
   * Sends to the session that sent the event, and no other; the event's `id` and room are the defaults. A session that is
   * gone gets nothing; that is not an error. Throws as `publishToRoom` does.
   * @example await event.reply({ type: 'error', payload: { code: 'INVALID_PAYLOAD', message: 'A vote names a comparison.' } });
   */
  reply(message: Publication): Promise<void>;
}

/** Options of a consumer of any kind of events. */
export interface GroupOptions<Of extends Entry> extends ConsumerOptions<Of> {
  /** Instances of a service share a group; each group gets every event. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly group: string;
}

export type EventsOptions = GroupOptions<EventEntry>;

/** Handles one event. If it throws, the event is retried. */
export type EventHandler = (event: ServiceEvent) => unknown;

export interface EventsParts {
  readonly log: EventLog;
  readonly publisher: Publisher;
}

/** @throws {HubbubError} `INVALID_FORMAT` for a namespace, a group or an option that cannot be. */
export function consumeEvents(
  { log, publisher }: EventsParts,
  namespace: string,
  options: EventsOptions,
  handler: EventHandler,
): Consumer {
  if (typeof handler !== 'function') throw wrong('handler', 'expected a function');
  return consume<EventEntry>(
    {
      source: log.group(namespaceName(namespace), groupName(options?.group)),
      laneOf: ({ event }) => (event.room === undefined ? `session ${event.session.id}` : `room ${event.room}`),
      async handle({ event, entryId, attempt }, signal) {
        const reply = async (message: Publication): Promise<void> =>
          await publisher.toSession(event.session, { id: event.id, ...message }, event.room);
        await handler({ ...event, entryId, attempt, signal, reply });
      },
    },
    options,
  );
}
