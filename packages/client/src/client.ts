/** The client: puts the parts together, and routes every frame to its room. */
import type { AnyEvents, Frame, HubbubError, Payload, PayloadOf, Status } from '@hubbub/protocol';
import { openTransport } from '#transport';
import { type CallOptions, limitCall } from './calls.js';
import { type ClientEvents, isClientEvent } from './client-events.js';
import { Connection, type StateChange } from './connection.js';
import { type ConnectionState, inSession, takesFrames } from './connection-states.js';
import { DISPOSE, Emitter, type Subscription } from './emitter.js';
import { closedError, unavailable } from './errors.js';
import type { EventArguments, FrameOf, FrameTypeName, SentName } from './event-types.js';
import { fallBackToEvents } from './fallback.js';
import { isWelcome, reconnectDelayMs, type Session, type Welcome } from './frames.js';
import { Heartbeat, watchNetwork } from './heartbeat.js';
import { checkEventName } from './names.js';
import { adoptPace, type ClientOptions, resolveOptions, type Settings, withQuery } from './options.js';
import { Outbox } from './outbox.js';
import { Renewal } from './renewal.js';
import { Requests } from './requests.js';
import { Room } from './room.js';
import { Rooms } from './rooms.js';
import { TokenSource } from './token.js';
import type { TransportKind } from './transport.js';
import { readFrame, type Wire } from './wire.js';

/**
 * A client of a Hubbub cluster. Nothing happens before `connect()`.
 *
 * @example
 * const client = new HubbubClient({ url: 'wss://example.org/ws', token: () => fetchToken() });
 * await client.connect();
 * @typeParam Events payloads by event name: those of frames that arrive
 * @typeParam Sent payloads by event name of what the application sends, `new_message` for `room.send`; where it differs
 */
export class HubbubClient<Events = AnyEvents, Sent = Events> {
  readonly #options: ClientOptions<Events, Sent>;
  readonly #settings: Settings;
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #rooms: Rooms;
  /** Frames about no room. */
  readonly #outbox: Outbox;
  readonly #heartbeat: Heartbeat;
  readonly #renewal: Renewal;
  readonly #listeners = new Emitter();
  #session: Session | undefined;
  /** Sent again in every session: an edge forgets it with the session. */
  #status: Status | undefined;
  #welcome: Welcome | undefined;
  #unwatchNetwork: (() => void) | undefined;

  /** @throws {TypeError} naming every option that is wrong. */
  constructor(options: ClientOptions<Events, Sent>) {
    this.#options = { ...options };
    this.#settings = resolveOptions(options);
    const { codec, fallBackToEvents: fallsBack } = this.#settings;
    const token = new TokenSource(this.#settings.token);
    const dialRequest = {
      url: () => withQuery(this.#settings.url, this.#rooms.pathQuery()),
      token,
      encoding: codec.encoding,
      openTransport:
        options.openTransport ?? (fallsBack ? fallBackToEvents(openTransport, codec, this.#settings) : openTransport),
    };
    this.#connection = new Connection(this.#settings, dialRequest, {
      stateChanged: change => this.#stateChanged(change),
      received: wire => this.#received(wire),
    });
    const session = (): Session | undefined => this.#session;
    this.#requests = new Requests(this.#settings, {
      session,
      send: (wire, frame) => this.#send(wire, frame),
      settled: () => this.#connection.step('settled'),
    });
    this.#outbox = new Outbox(this.#settings, this.#requests, {
      isReady: () => takesFrames(this.#connection.heading),
      session,
    });
    this.#rooms = new Rooms({
      settings: this.#settings,
      connection: this.#connection,
      requests: this.#requests,
      listeners: this.#listeners,
      session,
    });
    this.#renewal = new Renewal(this.#settings, token, {
      refresh: token => this.#requests.send({ type: 'refresh', payload: { token } }),
      move: () => this.#connection.moveAfter(0),
    });
    this.#heartbeat = new Heartbeat(this.#settings, {
      ping: () => this.#notify({ type: 'ping' }),
      dead: () => this.#connection.lose('No answer from the edge.'),
    });
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** The transport of the frames: `events` where WebSockets are blocked. `undefined` without a connection. */
  get transport(): TransportKind | undefined {
    return this.#connection.transport;
  }

  /** The `welcome` of the current session, or of the last one. */
  get session(): Session | undefined {
    return this.#session;
  }

  /**
   * Connects, and reconnects after every loss, until `close()` or until the edge refuses the client for good. Resolves when
   * the state is `open`. While the client waits for the next attempt, `connect()` starts it immediately.
   * @throws {HubbubError} when the client is closed before that: by you, by a refusal, by the token callback. The rejection
   * may stay unhandled: `state` events report the same.
   * After `timeoutMs` and after an abort, only this wait ends: the client connects until `close()`.
   */
  connect(options: CallOptions = {}): Promise<void> {
    const connect = (): Promise<void> => {
      const opened = new Promise<void>((resolve, reject) => {
        if (this.state === 'open') return resolve();
        const off = this.on('state', ({ state, error }) => {
          if (state === 'open') resolve();
          // Not the end from which a listener connects again.
          else if (this.#connection.heading === 'closed') reject(error ?? closedError());
          else return;
          off();
        });
      });
      this.#unwatchNetwork ??= watchNetwork(isOnline => {
        if (isOnline) this.#connection.step('network_up');
        this.#heartbeat.probe();
      });
      this.#connection.step('connect');
      return opened;
    };
    const opened = limitCall(options, connect, why => unavailable(`connect: ${why}.`));
    opened.catch(() => {}); // The caller may ignore the rejection.
    return opened;
  }

  /**
   * Closes the client: leaves rooms, rejects pending promises with `UNAVAILABLE`, stops timers. `connect()` starts it again,
   * with the rooms whose `join()` was called after `close()`.
   */
  close(): void {
    // Joins of a closed client wait for `connect()`.
    if (this.state === 'closed') this.#rooms.end(closedError());
    this.#connection.step('close');
  }

  /** Closes the client at the end of a `using` block. */
  [DISPOSE](): void {
    this.close();
  }

  /**
   * A new handle of the room. Keep it: joins are counted by handle, and the client is in the room until each handle that
   * joined has left.
   */
  room(name: string): Room<Events, Sent> {
    return new Room(name, {
      rooms: this.#rooms,
      notify: frame => this.#notify(frame),
      submit: (frame, options) => this.#submit(frame, options),
    });
  }

  /** Leaves the room for all its handles and stops their listeners. Resolves as `room.leave()`. @throws {HubbubError} */
  removeRoom(name: string): Promise<void> {
    return this.#rooms.remove(name);
  }

  /** Sends a client event about no room to the services behind the cluster. @throws {HubbubError} as `room.send`. */
  async sendEvent<Name extends SentName<Sent>>(
    type: Name,
    ...[payload, options]: EventArguments<PayloadOf<Sent, Name, object>, CallOptions>
  ): Promise<void> {
    checkEventName(type);
    await this.#submit({ type, payload: (payload ?? {}) as Payload }, options);
  }

  /**
   * Publishes the user's status to all rooms (`user_status`, and in rosters), in later sessions too. A call without argument
   * clears it. Resolves at the `ack`, or immediately without a connection.
   * @throws {HubbubError} `INVALID_PAYLOAD` above 256 bytes; `FORBIDDEN`, `RATE_LIMITED`, `UNAVAILABLE`.
   */
  async setStatus(status?: Status, options?: CallOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    this.#status = status;
    if (!takesFrames(this.state)) return;
    await this.#requests.send({ type: 'set_status', payload: { status: status ?? null } }, options);
  }

  /** The round trip to the edge in milliseconds. @throws {HubbubError} `UNAVAILABLE` without a connection. */
  async ping(options?: CallOptions): Promise<number> {
    if (!takesFrames(this.state)) throw unavailable('Not connected.');
    const startMs = performance.now();
    await this.#requests.send({ type: 'ping' }, options);
    return performance.now() - startMs;
  }

  /**
   * Adds a listener; returns a function that removes it. `state`, `frame` (everything in and out), `gap`, `recovered` and
   * `ignored` are the client's own events. Every other name is a frame's type, of any room. A listener that throws is
   * reported as an uncaught error and disturbs nothing.
   */
  on<Name extends keyof ClientEvents | FrameTypeName<Events>>(
    name: Name,
    listener: (event: Name extends keyof ClientEvents ? ClientEvents[Name] : FrameOf<Events, Name>) => void,
  ): Subscription {
    return this.#listeners.on(isClientEvent(name) ? `*${name}` : name, listener);
  }

  /** Listens to frames of a type, also of one that `on` keeps for the client's own events. */
  onFrame<Type extends FrameTypeName<Events>>(
    type: Type,
    listener: (frame: FrameOf<Events, Type>) => void,
  ): Subscription {
    return this.#listeners.on(type, listener);
  }

  async #submit(frame: Frame, options?: CallOptions): Promise<Frame> {
    if (this.#connection.heading === 'closed') throw closedError();
    return (frame.room === undefined ? this.#outbox : this.#rooms).submit(frame, options);
  }

  /** Sends a frame where it can be sent now, else forgets it: later it would be worthless. */
  #notify(frame: Frame): void {
    if (takesFrames(this.#connection.heading) && !this.#rooms.find(frame.room)?.membership.isPending) {
      this.#requests.notify(frame);
    }
  }

  #stateChanged(change: StateChange): void {
    if (inSession(change.previous) && !inSession(change.state)) {
      this.#heartbeat.stop();
      this.#renewal.stop();
      this.#rooms.sessionLost();
      this.#outbox.sessionLost();
      this.#requests.sessionLost();
    }
    if (change.state === 'restoring') {
      this.#heartbeat.start();
      this.#renewal.start(this.#welcome);
      // Before the rooms: then they hear of it with the join. The edge's word on it was given to setStatus().
      if (this.#status !== undefined) this.setStatus(this.#status).catch(() => {});
      this.#rooms.sessionBegan(this.#welcome as Welcome);
      this.#outbox.flush();
      this.#rooms.flush();
    }
    if (change.state === 'moving') {
      this.#renewal.stop();
      this.#requests.checkSettled();
    }
    if (change.state === 'closed') {
      const error = change.error ?? closedError();
      this.#unwatchNetwork?.();
      this.#unwatchNetwork = undefined;
      this.#renewal.end();
      this.#outbox.refuse(error);
      this.#rooms.end(error);
    }
    this.#listeners.emit('*state', change);
  }

  #send(wire: Wire, frame: Frame): void {
    this.#connection.send(wire);
    // Listeners may show or log frames: the token must not be in them.
    const isSecret = frame.type === 'refresh';
    const shown = isSecret ? { ...frame, payload: {} } : frame;
    this.#listeners.emit('*frame', { direction: 'out', raw: isSecret ? '' : wire, frame: shown });
  }

  #received(wire: Wire): void {
    this.#heartbeat.heard();
    const ignore = (ignored: ClientEvents['ignored']): void => this.#listeners.emit('*ignored', ignored);
    let frame: Frame | undefined;
    let problem: unknown;
    try {
      frame = readFrame(this.#settings.codec, wire);
    } catch (error) {
      problem = error;
    }
    this.#listeners.emit('*frame', { direction: 'in', raw: wire, ...(frame && { frame }) });
    // PROTOCOL.md section 2.2: what a client does not know it ignores; here it stays visible.
    if (!frame) ignore({ raw: wire, error: problem as HubbubError });
    // A listener may have ended the session.
    else if (this.state === 'opening' || inSession(this.state)) this.#dispatch(this.#settings.check(frame, ignore));
  }

  /** Our own parts first, then the room, then who listens to all: a listener sees what the frame has changed. */
  #dispatch(frame: Frame): void {
    this.#requests.settle(frame);
    if (frame.type === 'welcome') this.#welcomed(frame);
    if (frame.type === 'reconnect') this.#connection.moveAfter(reconnectDelayMs(frame));
    const { room: name, type } = frame;
    const room = type === 'room_opened' && name !== undefined ? this.#rooms.use(name) : this.#rooms.find(name);
    if (room) room.take(frame);
    else this.#listeners.emit(type, frame);
  }

  #welcomed({ payload }: Frame): void {
    if (!isWelcome(payload)) return;
    const { session_id: id, user, limits, features = [] } = payload;
    this.#session = { id, user, limits, features };
    // Server-sent events have a new session whenever their rooms change.
    if (this.state !== 'opening') return;
    adoptPace(this.#settings, this.#options, payload);
    this.#welcome = payload;
    this.#connection.step('welcomed');
  }
}
