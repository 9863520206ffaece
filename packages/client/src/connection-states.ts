/** The connection as a table: its states, its events, and for each pair the next state. Pure; README.md shows it. */

export const CONNECTION_STATES = [
  /** Made, not yet asked to connect. */
  'idle',
  /** Asking for the token and dialling. */
  'connecting',
  /** The socket is open; the edge has not sent `welcome`. */
  'opening',
  /** The session exists; its rooms are being joined again. */
  'restoring',
  /** Everything works, and every wanted room has its answer. */
  'open',
  /** The edge asked the client to move: answers and messages still arrive, new frames wait for the next session. */
  'moving',
  /** No connection; the next attempt is planned. */
  'waiting',
  /** Closed by `close()` or by a final refusal; `connect()` starts again. */
  'closed',
] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

export const CONNECTION_EVENTS = [
  /** The application called `connect()`. */
  'connect',
  /** The application called `close()`. */
  'close',
  /** The socket opened. */
  'opened',
  /** The edge sent `welcome`. */
  'welcomed',
  /** Every wanted room was answered. */
  'restored',
  /** The delay of a `reconnect` frame is over. */
  'move_due',
  /** No frame waits for its answer any more. */
  'settled',
  /** The connection or the attempt failed; reconnecting is allowed. */
  'lost',
  /** The edge, or the token callback, refused the client for good. */
  'stopped',
  /** The delay before the next attempt is over. */
  'retry_due',
  /** The browser is online again. */
  'network_up',
] as const;
export type ConnectionEvent = (typeof CONNECTION_EVENTS)[number];

/** With a socket. */
const ENDS = { lost: 'waiting', stopped: 'closed', close: 'closed' } as const;

/** The transitions of each state. A missing event does nothing: it came too late or has no meaning there. */
export const TRANSITIONS: Readonly<
  Record<ConnectionState, Readonly<Partial<Record<ConnectionEvent, ConnectionState>>>>
> = {
  idle: { connect: 'connecting', close: 'closed' },
  connecting: { opened: 'opening', ...ENDS },
  opening: { welcomed: 'restoring', ...ENDS },
  restoring: { restored: 'open', move_due: 'moving', ...ENDS },
  open: { move_due: 'moving', ...ENDS },
  moving: { settled: 'connecting', ...ENDS },
  waiting: {
    connect: 'connecting',
    retry_due: 'connecting',
    network_up: 'connecting',
    close: 'closed',
  },
  closed: { connect: 'connecting' },
};

/** The state that follows; the same one where the event changes nothing. */
export function nextState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  return TRANSITIONS[state][event] ?? state;
}

/** Whether a socket exists, or is being made, in this state. */
export function hasSocket(state: ConnectionState): boolean {
  return state === 'connecting' || state === 'opening' || inSession(state);
}

/** Whether an edge holds a session of ours in this state. */
export function inSession(state: ConnectionState): boolean {
  return takesFrames(state) || state === 'moving';
}

/** Whether new frames go out in this state; in the others they wait. */
export function takesFrames(state: ConnectionState): boolean {
  return state === 'restoring' || state === 'open';
}
