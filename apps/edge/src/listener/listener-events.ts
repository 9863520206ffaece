/** The questions and reports of the listener: events of handshakes and connections. */
import type { HubbubError, Refusal } from '@hubbub/protocol';
import type { Admitted, UpgradeRequest } from '../admission/admission.js';
import type { Session, Socket } from '../sessions/session.js';
import type { Handshake } from './handshake.js';

export interface HandshakeEvents {
  /** Judges a request before anything else is read of it, at the cost of microseconds. */
  screen(): Screening;
  /** Whether a request that `screen` refuses is read all the same, so that its account has a name. Few in a second. */
  recordsRefusals(): boolean;
  /** `screen` has refused the request. */
  shed(handshake: Handshake): void;
  /** @throws an error for `refused`, or rejects with it */
  admit(request: UpgradeRequest): Admitted | Promise<Admitted>;
  /** The request is refused, by `admit` or before. Returns the error that the client gets. */
  refused(error: unknown, handshake: Handshake): HubbubError;
  /** The socket of some session, if there is one. */
  anySocket(): Socket | undefined;
}

/** `leaving`: the answer has a status of its own, so that a proxy tries another edge. */
export type Screening = 'pass' | 'leaving' | Refusal;

/** Events of a connection. */
export interface ConnectionEvents extends HandshakeEvents {
  /**
   * @param begin called with the session before anything may end it, such as a revocation during the handshake. Where a connection
   *   ended without knowing its session, the session would stay, with a dead socket
   */
  opened(socket: Socket, admitted: Admitted, begin: (session: Session) => void): void;
  /** The bytes are the engine's and gone after the call. */
  received(session: Session, bytes: Uint8Array, isBinary: boolean): void;
  /** @param reason of the close frame, or what the engine reports instead */
  closed(session: Session, code: number, reason: string): void;
  /** The session has read some of what waited for it. */
  drained(session: Session): void;
  /** More than `maxBufferedBytes` wait for the session, which is closed. */
  overflowed(session: Session): void;
  /** The engine has ended a session that read nothing of what waited for it. */
  unread(session: Session): void;
}
