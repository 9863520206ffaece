/** Shared parts of the authorizer's stories: an edge that asks one, people on it, and the edge's metrics. */

import { countOf } from '@hubbub/tools/kit';
import { withNamespaces } from '../presence/config-file.js';
import { type Environment, startEmbedded } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startAuthorizer } from './authorizer-double.js';

const NAMESPACES = {
  default: {},
  club: { public: true, authorize: ['join'] },
  wall: { public: true, authorize: ['publish'] },
  guests: { anonymousRights: ['join'], authorize: ['join'] },
};
export const KEY = 'the-key-of-the-authorizer';

/** Only stories of a late authorizer wait for it: all others must not depend on the speed of the machine. */
export const PATIENT = { HUBBUB_AUTHORIZER_TIMEOUT_MS: '20000', HUBBUB_HANDSHAKE_TIMEOUT_MS: '60000' };

/** An authorizer that allows everything, and one edge that asks it. */
export async function start(env: Environment = {}) {
  const authorizer = await startAuthorizer();
  const cluster = await startEmbedded({
    env: {
      ...withNamespaces(NAMESPACES),
      HUBBUB_AUTHORIZER_URL: authorizer.url,
      HUBBUB_AUTHORIZER_KEY: KEY,
      ...PATIENT,
      ...env,
    },
  });
  const edge = cluster.edge(0);

  return {
    authorizer,
    cluster,
    edge,
    /** How many questions of this kind came to this. */
    questions: (action: string, result: string) =>
      countOf(edge, `hubbub_edge_authorizer_questions_total{action="${action}",result="${result}"}`),
    enter: (user: string, encoding: 'json' | 'msgpack' = 'json') =>
      connect(edge.wsUrl, { name: user, token: cluster.token({ user, name: user.toUpperCase() }), encoding }),
  };
}

export const join = (client: RawClient, room: string) => client.ask({ type: 'join_room', payload: { room_id: room } });
export const send = (client: RawClient, room: string, payload: object = {}) =>
  client.ask({ type: 'send_message', room, payload });
export const code = (frame: { type: string; payload?: Record<string, unknown> }) =>
  frame.type === 'error' ? frame.payload?.code : 'ok';
