/** Client events as a service sees them: with answers to those who sent them. */
import type { EventEntry, EventLog } from '@hubbub/broker';
import {
  type AnyEvents,
  type ClientEvent,
  type HubbubError,
  type Payload,
  type PayloadSchemas,
  validatePayload,
} from '@hubbub/protocol';
import { groupName, namespaceName, wrong } from './checks.js';
import { consume, each } from './consumer/consume.js';
import { eventLane } from './consumer/lane-names.js';
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

export interface EventsOptions extends GroupOptions<EventEntry> {
  /**
   * Schemas of payloads by event type, of any library that implements Standard Schema; synchronous. The handler gets their
   * output. An event with an invalid payload is not handled: its session gets an `error` with `INVALID_PAYLOAD`, and `onError` is
   * called.
   */
  readonly schemas?: PayloadSchemas;
}

/** An event of a service that names its events: its `type` decides its payload. */
export type ServiceEventOf<Events = AnyEvents> = unknown extends Events
  ? ServiceEvent
  : {
      [Name in keyof Events & string]: Omit<ServiceEvent, 'type' | 'payload'> & {
        readonly type: Name;
        readonly payload: Events[Name];
      };
    }[keyof Events & string];

/** Handles one event. If it throws, the event is retried. */
export type EventHandler<Events = AnyEvents> = (event: ServiceEventOf<Events>) => unknown;

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
      laneOf: eventLane,
      handle: each(async (entry, signal) => {
        const { event, entryId, attempt } = entry;
        const traced = event.traceparent === undefined ? {} : { traceparent: event.traceparent };
        const reply = async (message: Publication): Promise<void> =>
          void (await publisher.toSession(event.session, { id: event.id, ...traced, ...message }, event.room));
        let payload: Payload;
        try {
          payload = validatePayload(options.schemas ?? {}, event.type, event.payload) as Payload;
        } catch (error) {
          // A retry would find the same payload.
          options.onError?.(error, entry);
          await reply({ type: 'error', payload: { code: 'INVALID_PAYLOAD', message: (error as HubbubError).message } });
          return;
        }
        await handler({ ...event, payload, entryId, attempt, signal, reply });
      }),
    },
    options,
  );
}
