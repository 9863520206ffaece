/** The `welcome` of a session. Most of it is the same for all sessions, and is encoded once: it is 1 KB of JSON. */

import {
  FEATURES,
  type Pace,
  type Recovery,
  type SessionLimits,
  STREAM_FEATURES,
  SUBPROTOCOLS,
} from '@hubbub/protocol';
import { bodyEncoding, isStreamEncoding } from '@hubbub/protocol/session-encoding';
import { expiryOf } from '../sessions/expiry.js';
import type { Session } from '../sessions/session.js';

/** @param rooms that the session is in from the start @param position in the history of the one room */
export type SendWelcome = (session: Session, rooms: readonly string[], position?: Recovery) => void;

export function createWelcome(limits: { readonly pace: Pace; readonly session: SessionLimits }): SendWelcome {
  const common = { features: FEATURES, ...limits.pace, limits: limits.session };
  const commonJson = JSON.stringify(common).slice(1);
  const commonOfStreams = { ...common, features: STREAM_FEATURES };
  return (session, rooms, position) => {
    const { id, user, encoding } = session;
    const isStream = isStreamEncoding(encoding);
    const subprotocol = isStream ? undefined : SUBPROTOCOLS[bodyEncoding(encoding)];
    const own = { session_id: id, user, subprotocol, rooms, position, ...expiryOf(session) };
    const timestamp = new Date().toISOString();
    if (encoding !== 'json') {
      session.send({ type: 'welcome', payload: { ...own, ...(isStream ? commonOfStreams : common) }, timestamp });
    } else {
      const ownJson = JSON.stringify(own).slice(0, -1);
      session.sendText(`{"type":"welcome","payload":${ownJson},${commonJson},"timestamp":"${timestamp}"}`);
    }
  };
}
