/** State of a connection of the Pusher protocol, beside its session. */
import type { PusherApp } from '@hubbub/config';
import type { TokenBucket } from '@hubbub/runtime';
import type { Session } from '../sessions/session.js';

export interface PusherConnection {
  readonly app: PusherApp;
  /** Of its client events; `undefined` until it sends one. */
  clientEvents?: TokenBucket;
  /** The user that has signed in: the id, and the fields of a member that `user_data` has. */
  user?: SignedInUser;
}

export interface SignedInUser {
  readonly id: string;
  readonly info: unknown;
  /** Ids of the users that it wants to see come and go. */
  readonly watchlist: readonly string[];
}

const connections = new WeakMap<Session, PusherConnection>();

/** Called once, when the session begins. */
export function openConnection(session: Session, app: PusherApp): void {
  connections.set(session, { app });
}

export function connectionOf(session: Session): PusherConnection {
  const connection = connections.get(session);
  if (connection === undefined) throw new Error(`The session ${session.id} is not one of the Pusher protocol.`);
  return connection;
}
