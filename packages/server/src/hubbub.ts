/** The cluster as a service sees it. */
import type { BrokerClient, EventBacklog } from '@hubbub/broker';
import {
  type AnyEvents,
  Channels,
  DEFAULT_REDIS_PREFIX,
  type OutputsOf,
  type PayloadSchemas,
  type Right,
  type SessionAddress,
} from '@hubbub/protocol';
import type { Explanation, NodeState } from '@hubbub/protocol/account';
import type { CallOptions } from './calls.js';
import { ChannelListeners } from './channel-listeners.js';
import { fieldsOf, listOfRights, optionalFunction, wholeNumber } from './checks.js';
import type { Consumer } from './consumer/source.js';
import { createDeadLetters, type DeadLetters } from './dead-letters.js';
import { consumeEvents, type EventHandler, type EventsOptions } from './events.js';
import { Explainer, type ExplainQuery } from './explain.js';
import { closedError, Gate } from './gate.js';
import { consumeLifecycle, type LifecycleHandler, type LifecycleOptions } from './lifecycle.js';
import { createPresenceQueries, type PresenceOptions, type PresenceQueries } from './presence.js';
import type { Publication, PublicationOf } from './publication.js';
import { type Once, Publisher, type Published as PublishResult } from './publisher.js';
import { type MoveRequest, moveSessions } from './rebalancing.js';
import { type AccessControl, createAccessControl } from './revocations.js';
import { type TailListener, type TailQuery, tail } from './tail.js';

export interface ServiceOptions {
  /** HUBBUB_REDIS_PREFIX of the cluster. Default `hubbub`. */
  readonly redisPrefix?: string;
  /** HUBBUB_PRESENCE_PARTITIONS of the cluster. Default 16. */
  readonly presencePartitions?: number;
  /** The most messages that may wait for Redis. Default 10,000. */
  readonly maxPending?: number;
  /** Size of a message's frame. Default 1,048,576: clients hold what waits for them in memory. */
  readonly maxMessageBytes?: number;
  /** Where presence is asked. Not given: `presence` refuses. */
  readonly presence?: PresenceOptions;
  /**
   * Schemas of payloads by type, of any library that implements Standard Schema; synchronous. Each publish is checked, and goes
   * out as it was given.
   */
  readonly schemas?: PayloadSchemas;
  /**
   * Returns the span that publishes, in the form of W3C Trace Context; it is called for each publish without a `traceparent` of
   * its own. A malformed one, or an error, publishes without a trace.
   * @example () => trace.getActiveSpan() && writeTraceparent(trace.getActiveSpan().spanContext())
   */
  readonly traceparent?: () => string | undefined;
}

export interface NamespaceBacklog extends EventBacklog {
  readonly namespace: string;
}

/**
 * Every method that sends resolves when Redis has taken the message.
 *
 * @typeParam Published payloads by type of the frames that the service publishes
 * @typeParam Received payloads by type of the client events that it consumes
 */
export interface Hubbub<Published = AnyEvents, Received = Published>
  extends AccessControl,
    DeadLetters,
    AsyncDisposable {
  /**
   * To every session in the room; into its history, where its namespace has one.
   * @throws {HubbubError} `INVALID_ROOM`, `INVALID_FORMAT`, `INVALID_PAYLOAD`, `TOO_LARGE`, `UNAVAILABLE` (not
   * published: send it again), or `OUTCOME_UNKNOWN` (perhaps published: with an `idempotencyKey` a retry never doubles it).
   * @example await hubbub.publishToRoom('general', { type: 'build.finished', payload: { ok: true } });
   * @example await hubbub.publishToRoom('prices:eu', { type: 'price', key: 'ACME', payload: { price: 42 } });
   */
  publishToRoom<Events = Published>(
    room: string,
    message: PublicationOf<NoInfer<Events>>,
    options?: CallOptions,
  ): Promise<PublishResult>;
  /** To every session of the user, on whichever edge. Throws as `publishToRoom` does. */
  publishToUser<Events = Published>(
    userId: string,
    message: PublicationOf<NoInfer<Events>>,
    options?: CallOptions,
  ): Promise<PublishResult>;
  /** To every session of the cluster. Throws as `publishToRoom` does. */
  publishToAll<Events = Published>(
    message: PublicationOf<NoInfer<Events>>,
    options?: CallOptions,
  ): Promise<PublishResult>;
  /** To one session, as an event names it. Nothing happens when it is gone. Throws as `publishToRoom` does. */
  publishToSession<Events = Published>(
    session: SessionAddress,
    message: PublicationOf<NoInfer<Events>>,
    room?: string,
    options?: CallOptions,
  ): Promise<PublishResult>;

  /**
   * Hands the client events of a namespace to the handler: at least once, those of a room in order. The group's other
   * instances stand by. An event whose handler throws is tried again, and after `maxAttempts` is among the dead letters.
   * @throws {HubbubError} `INVALID_FORMAT` for a name or an option that cannot be.
   * @example
   * const consumer = hubbub.onEvents('game', { group: 'referee' }, async event => {
   *   await hubbub.publishToRoom(event.room ?? 'game:lobby', { type: 'move.made', payload: event.payload, sender: event.user });
   * });
   */
  onEvents<Schemas extends PayloadSchemas>(
    namespace: string,
    options: EventsOptions & { readonly schemas: Schemas },
    handler: EventHandler<OutputsOf<Schemas>>,
  ): Consumer;
  onEvents<Events = Received>(namespace: string, options: EventsOptions, handler: EventHandler<Events>): Consumer;
  /**
   * Hands lifecycle events to the handler: users online and offline, rooms occupied and vacated, and the members of
   * namespaces with `memberEvents`. At least once, in order for each room and user. A group begins when its
   * first consumer has the lease. `onGap` reports that events may be missing: query `presence` then.
   * @throws {HubbubError} `INVALID_FORMAT` for a name or an option that cannot be.
   * @example hubbub.onLifecycle({ group: 'greeter' }, event => console.log(event.event));
   */
  onLifecycle(options: LifecycleOptions, handler: LifecycleHandler): Consumer;
  /**
   * The client events of each announced namespace that wait for services; namespaces without events or groups are left out.
   * @throws {HubbubError} `UNAVAILABLE`
   */
  eventBacklogs(): Promise<readonly NamespaceBacklog[]>;

  /**
   * Asks every edge once what it knows of a user, a session or a room: admissions and refusals, joins, exceeded limits, gaps,
   * how sessions ended. Edges keep a bounded account in memory; one that does not answer within `timeoutMs` (default 2,000) is
   * listed. For operators, not for each message: edges limit the questions.
   * @throws {HubbubError} `INVALID_FORMAT`, `INVALID_ROOM`, `UNAVAILABLE`
   * @example const { sessions } = await hubbub.explain({ user: 'u1' });
   */
  explain(query: ExplainQuery, options?: CallOptions): Promise<Explanation>;

  /** Every edge with its load, asked as `explain` asks. @throws {HubbubError} `INVALID_FORMAT`, `UNAVAILABLE` */
  nodes(options?: CallOptions): Promise<readonly NodeState[]>;
  /**
   * Asks every edge, or one, to move a share of its sessions to other edges, and to stay in service: after edges were added.
   * They move over the drain window of each edge; clients of the SDK resume and miss nothing. Returns the nodes that were asked.
   * @throws {HubbubError} `INVALID_FORMAT`, `NOT_FOUND` if there is no such edge, `UNAVAILABLE`
   * @example await hubbub.moveSessions({ percent: 20, node: 'edge-1' });
   */
  moveSessions(request: MoveRequest): Promise<readonly string[]>;
  /**
   * Follows what is published to a room, a user or everybody from now on, without joining. Resolves when the subscription is
   * confirmed; returns how to end it.
   * @throws {HubbubError} `INVALID_ROOM`, `INVALID_FORMAT`, `UNAVAILABLE`
   * @example const end = await hubbub.tail({ room: 'general' }, { message: message => console.log(message?.frame) });
   */
  tail(query: TailQuery, listener: TailListener): Promise<() => void>;

  /** Queries of the registry: users, rooms and sessions. */
  readonly presence: PresenceQueries;

  /**
   * Removes every session from the room, on every edge; members get `room_closed` with the reason. A later or simultaneous
   * join creates the room again: to keep users out, give them no right to it.
   * @param reason at most 123 bytes
   * @param once with an `idempotencyKey` a retry does not remove users that joined after the first attempt
   * @throws {HubbubError} `INVALID_ROOM`, `INVALID_FORMAT`, `UNAVAILABLE` or `OUTCOME_UNKNOWN`: doing it twice does no harm.
   * @example await hubbub.closeRoom('game:42', 'the game is over');
   */
  closeRoom(room: string, reason?: string, once?: Once): Promise<PublishResult>;
  /** Takes the user out of the room with every session: they get `room_closed` with `removed: true`. Else as `closeRoom`. */
  removeFromRoom(room: string, userId: string, reason?: string, once?: Once): Promise<PublishResult>;
  /**
   * Ends every session of the user with the close code 4200, after which clients do not reconnect by themselves. Its
   * tokens stay valid: mint no new ones. Throws as `closeRoom` does.
   * @example await hubbub.disconnectUser('u1', 'the account was closed');
   */
  disconnectUser(userId: string, reason?: string, once?: Once): Promise<PublishResult>;
  /**
   * Adds a session to a room that it did not ask for, as a join with a room token of these rights (default: all). It stays
   * until it leaves or ends; a reconnected client is another session. Throws as `closeRoom` does.
   * @example await hubbub.addToRoom('chat:7', event.session, ['join', 'presence']);
   */
  addToRoom(room: string, session: SessionAddress, rights?: readonly Right[]): Promise<void>;
  /** Takes one session out of a room: it gets `room_closed` with `removed: true`. Throws as `closeRoom` does. */
  removeSession(room: string, session: SessionAddress, reason?: string): Promise<void>;
  /** Ends the consumers first, each when its handlers are done; then the connections. Later requests reject: `UNAVAILABLE`. */
  close(): Promise<void>;
}

async function readBacklogs({ events, namespaces }: BrokerClient): Promise<readonly NamespaceBacklog[]> {
  const names = await namespaces.names();
  const backlogs = await Promise.all(
    names.map(async namespace => ({ namespace, ...(await events.backlog(namespace)) })),
  );
  return backlogs.filter(({ length, groups }) => length > 0 || groups.length > 0);
}

/** For a service in the same process as the hub. The broker client is of this service alone, and stays the caller's. */
export function createHubbub(brokerClient: BrokerClient, options: ServiceOptions = {}): Hubbub {
  fieldsOf('options', options);
  const channels = new Channels(options.redisPrefix ?? DEFAULT_REDIS_PREFIX);
  const gate = new Gate(wholeNumber('maxPending', options.maxPending ?? 10_000, 1, 10_000_000));
  const publisher = new Publisher(brokerClient, channels, {
    gate,
    maxMessageBytes: wholeNumber('maxMessageBytes', options.maxMessageBytes ?? 1_048_576, 1, 536_870_912),
    schemas: options.schemas ?? {},
    traceparent: optionalFunction('traceparent', options.traceparent) ?? (() => undefined),
  });
  const listeners = new ChannelListeners(brokerClient.broker);
  const explainer = new Explainer(brokerClient, listeners, channels);
  const consumers = new Set<Consumer>();
  let isClosing = false;
  const kept = (begin: () => Consumer): Consumer => {
    if (isClosing) throw closedError();
    const consumer = begin();
    const close = async (): Promise<void> => {
      await consumer.close();
      consumers.delete(own);
    };
    const own: Consumer = {
      get leading() {
        return consumer.leading;
      },
      close,
      [Symbol.asyncDispose]: close,
    };
    consumers.add(own);
    return own;
  };
  const close = async (): Promise<void> => {
    isClosing = true;
    // Handlers that still run may publish.
    if (consumers.size > 0) await Promise.all([...consumers].map(consumer => consumer.close()));
    gate.close();
  };
  const because = (reason: string | undefined) => (reason === undefined ? {} : { reason });
  return {
    publishToRoom: (room, message, limits) => publisher.toRoom(room, message as Publication, limits),
    publishToUser: (userId, message, limits) => publisher.toUser(userId, message as Publication, limits),
    publishToAll: (message, limits) => publisher.toAll(message as Publication, limits),
    publishToSession: (session, message, room, limits) =>
      publisher.toSession(session, message as Publication, room, limits),
    onEvents: (namespace: string, eventsOptions: EventsOptions, handler: EventHandler) =>
      kept(() => consumeEvents({ log: brokerClient.events, publisher }, namespace, eventsOptions, handler)),
    onLifecycle: (lifecycleOptions, handler) =>
      kept(() => consumeLifecycle(brokerClient.lifecycle, lifecycleOptions, handler)),
    explain: async (query, limits) => await gate.pass(() => explainer.explain(query, limits)),
    nodes: async limits => await gate.pass(() => explainer.nodes(limits)),
    moveSessions: async request => await gate.pass(() => moveSessions(brokerClient, channels, request)),
    tail: async (query, listener) => await tail(listeners, channels, query, listener),
    eventBacklogs: async () => await gate.pass(() => readBacklogs(brokerClient)),
    presence: createPresenceQueries(options.presence),
    closeRoom: (room, reason, once) => publisher.controlRoom(room, { do: 'close_room', ...because(reason) }, once),
    removeFromRoom: (room, user, reason, once) =>
      publisher.controlRoom(room, { do: 'remove_user', user, ...because(reason) }, once),
    disconnectUser: (userId, reason, once) =>
      publisher.controlUser(userId, { do: 'disconnect_user', ...because(reason) }, once),
    addToRoom: async (room, session, rights) =>
      await publisher.controlSession(session, room, {
        ...{ do: 'add_sessions', room },
        ...(rights !== undefined && { rights: listOfRights('rights', rights) }),
      }),
    removeSession: (room, session, reason) =>
      publisher.controlSession(session, room, { do: 'remove_sessions', room, ...because(reason) }),
    ...createAccessControl(brokerClient.revocations, gate),
    ...createDeadLetters(brokerClient, gate),
    close,
    [Symbol.asyncDispose]: close,
  };
}
