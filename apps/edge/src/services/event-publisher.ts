/** Hands client events to services: stamped with what the edge knows, appended to the log of their namespace. */
import type { EventLog } from '@hubbub/broker';
import { type Config, matchesEvent, namespaceSettings } from '@hubbub/config';
import { DEFAULT_NAMESPACE, HubbubError, isOwnType, namespaceOf, type Payload } from '@hubbub/protocol';
import { inSpan, type Tracing } from '@hubbub/runtime';
import { limitKeyOf } from '../limits/limit-key.js';
import type { PublishWindow } from '../limits/publish-window.js';
import type { EdgeMetrics } from '../metrics.js';
import { idempotencyKey } from '../rooms/room-publisher.js';
import type { Session } from '../sessions/session.js';
import { EventShares } from './event-shares.js';

export interface EventContent {
  readonly type: string;
  /** `undefined`: the event concerns no room. */
  readonly room: string | undefined;
  readonly id: string;
  readonly payload: Payload;
}

export interface EventPublisherParts {
  readonly log: Pick<EventLog, 'append'>;
  readonly config: Pick<Config, 'nodeId' | 'namespaces' | 'maxWaitingEvents' | 'eventsTtlMs'>;
  readonly metrics: Pick<EdgeMetrics, 'eventAppended'>;
  readonly window: PublishWindow;
  readonly tracing: Tracing;
}

/** Bounds the list of a session's rooms in an event, as JSON: a small event must stay small in Redis. */
const ROOMS_MAX_BYTES = 512;

export class EventPublisher {
  readonly #parts: EventPublisherParts;
  readonly #shares: EventShares;

  constructor(parts: EventPublisherParts) {
    this.#parts = parts;
    this.#shares = new EventShares(parts.config.maxWaitingEvents);
  }

  /**
   * Must be called before `append`.
   * @throws {LimitExceeded} `UNAVAILABLE` if the user's pending events fill its share, or too many publishes wait for Redis
   */
  takeShare({ user, address }: Session, room: string | undefined): void {
    this.#parts.window.assertOpen();
    this.#shares.take(namespaceOfEvent(room), limitKeyOf(user, address), performance.now());
  }

  /** Whether services take events of this type about this room, or about no room. */
  takes(type: string, room: string | undefined): boolean {
    if (isOwnType(type)) return false;
    const { events } = namespaceSettings(this.#parts.config.namespaces, namespaceOfEvent(room));
    return matchesEvent(events, type);
  }

  /**
   * Resolves when the log has the event; `duplicate` if it already had it. Calls keep their order.
   * @param messageId of the client, which may send the event again under it
   * @throws {HubbubError} `UNAVAILABLE`: the log does not have it; `OUTCOME_UNKNOWN`
   */
  append(session: Session, content: EventContent, messageId?: string): Promise<{ readonly duplicate: boolean }> {
    const span = this.#parts.tracing.start({ name: 'client_event', kind: 'producer' });
    span?.setPersonal({ room: content.room, user: session.user.id });
    return inSpan(
      span,
      () => this.#append(session, content, messageId, span?.traceparent),
      ({ duplicate }) => ({ 'hubbub.repeated': duplicate }),
    );
  }

  async #append(
    session: Session,
    { payload, room, ...fields }: EventContent,
    messageId: string | undefined,
    traceparent: string | undefined,
  ): Promise<{ readonly duplicate: boolean }> {
    const { log, config, metrics, window } = this.#parts;
    const event = {
      ...fields,
      ...(room !== undefined && { room }),
      payload,
      user: session.user,
      session: { id: session.id, node: config.nodeId },
      rooms: firstRooms(session),
      atMs: Date.now(),
      ...(traceparent !== undefined && { traceparent }),
    };
    const namespace = namespaceOfEvent(room);
    try {
      const appending = log.append({
        namespace,
        event,
        ...idempotencyKey(session, messageId),
        maxLength: config.maxWaitingEvents,
        ttlMs: config.eventsTtlMs,
      });
      const { repeated, length } = await window.count(appending);
      this.#shares.found(namespace, length, performance.now());
      metrics.eventAppended(repeated ? 'repeated' : 'appended');
      return { duplicate: repeated };
    } catch (error) {
      const isUnknown = error instanceof HubbubError && error.code === 'OUTCOME_UNKNOWN';
      metrics.eventAppended(isUnknown ? 'OUTCOME_UNKNOWN' : 'UNAVAILABLE');
      throw error;
    }
  }
}

function namespaceOfEvent(room: string | undefined): string {
  return room === undefined ? DEFAULT_NAMESPACE : namespaceOf(room);
}

function firstRooms({ rooms }: Session): string[] {
  const first: string[] = [];
  let bytes = '[]'.length;
  for (const room of rooms) {
    bytes += room.length + '"",'.length; // Names of rooms are ASCII.
    if (bytes > ROOMS_MAX_BYTES) break;
    first.push(room);
  }
  return first;
}
