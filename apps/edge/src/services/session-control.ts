/** Executes what services and presence do to single sessions: add, remove, disconnect (docs/redis-contract.md). */
import { CLOSE_CODES, type Control, HubbubError, RIGHTS, type Right, type SessionLimits } from '@hubbub/protocol';
import { type Logger, spanFieldsOf } from '@hubbub/runtime';
import type { Grant } from '../admission/rights.js';
import type { Conflation } from '../conflation/conflation.js';
import type { AdditionResult, EdgeMetrics } from '../metrics.js';
import type { Memberships } from '../rooms/memberships.js';
import type { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';
import { disconnect, removeFromRoom } from './room-control.js';

export interface SessionControlParts {
  readonly memberships: Pick<Memberships, 'join' | 'leave'>;
  readonly sessions: Pick<Sessions, 'get'>;
  readonly conflation: Pick<Conflation, 'settle'>;
  readonly limits: Pick<SessionLimits, 'max_rooms'>;
  readonly metrics: Pick<EdgeMetrics, 'controlled' | 'sessionAdded'>;
  readonly log: Logger;
}

const KNOWN_RIGHTS: ReadonlySet<string> = new Set(RIGHTS);

/** Executes a control from the node's channel; returns false for one that does not belong there or has unknown rights. */
export function createSessionControl(
  parts: SessionControlParts,
): (control: Control, ids: readonly string[]) => boolean {
  const { memberships, sessions, limits, metrics, log } = parts;
  /** Additions in progress by room: a removal that comes meanwhile is executed after them. */
  const additions = new WeakMap<Session, Map<string, number>>();

  const count = (session: Session, room: string, change: 1 | -1): void => {
    const ofSession = additions.get(session) ?? new Map<string, number>();
    additions.set(session, ofSession);
    const pending = (ofSession.get(room) ?? 0) + change;
    if (pending === 0) ofSession.delete(room);
    else ofSession.set(room, pending);
  };

  async function join(session: Session, room: string, grant: Grant): Promise<AdditionResult> {
    if (session.rooms.has(room)) {
      session.grant(room, grant);
      return 'known';
    }
    if (session.rooms.size >= limits.max_rooms) return 'ROOM_LIMIT';
    try {
      const position = await memberships.join(session, room, { grant });
      if (session.closed) return 'gone';
      const payload = { room_id: room, ...position };
      session.send({ type: 'room_opened', room, payload, timestamp: new Date().toISOString() });
      return 'added';
    } catch (error) {
      if (error instanceof HubbubError && error.code === 'NOT_IN_ROOM') return 'gone';
      // The service is not there to be answered: it learns from presence who is in the room.
      log.warn(
        { event: 'session_not_added', err: error, ...spanFieldsOf(error) },
        'a session could not be added to a room',
      );
      return 'UNAVAILABLE';
    }
  }

  function add(session: Session, room: string, grant: Grant): void {
    count(session, room, 1);
    // In turn: a pending join of the client for this room must be answered first.
    session.inTurn(async () => {
      metrics.sessionAdded(await join(session, room, grant));
      count(session, room, -1);
    });
  }

  function remove(session: Session, room: string, reason: string | undefined): void {
    const leave = (): void => {
      if (session.rooms.has(room)) removeFromRoom(session, room, { removed: true, reason }, parts);
    };
    if (additions.get(session)?.has(room) === true) session.inTurn(leave);
    else leave();
  }

  return (control, ids) => {
    let act: (session: Session) => void;
    if (control.do === 'add_sessions') {
      const { room, rights = RIGHTS } = control;
      if (!rights.every(isRight)) return false;
      const grant: Grant = { rights: [...new Set<Right>(['join', ...rights])] };
      act = session => add(session, room, grant);
    } else if (control.do === 'remove_sessions') {
      const { room, reason } = control;
      act = session => remove(session, room, reason);
    } else if (control.do === 'refuse_sessions') {
      const { reason = 'the user has too many sessions' } = control;
      act = session => disconnect(session, memberships, CLOSE_CODES.SESSION_LIMIT, reason);
    } else return false;

    // Those that are not here have left while the control was on its way.
    const met = ids.flatMap(id => sessions.get(id) ?? []).filter(({ state }) => state === 'open');
    for (const session of met) act(session);
    metrics.controlled(control.do, met.length);
    return true;
  };
}

function isRight(right: string): right is Right {
  return KNOWN_RIGHTS.has(right);
}
