/** The channels that a session holds from its welcome to its end. */
import { type Broker, Interest, MemoryCluster } from '@hubbub/broker';
import { Channels, HubbubError } from '@hubbub/protocol';
import { noTracing } from '@hubbub/runtime';
import { expect, test } from 'vitest';
import { SILENT } from '../../../tests/support/silent-logger.js';
import { Audiences } from '../src/rooms/fanout.js';
import { Memberships } from '../src/rooms/memberships.js';
import type { Session } from '../src/sessions/session.js';
import { Sessions } from '../src/sessions/sessions.js';

const CHANNELS = new Channels('test');
const NODE_CHANNEL = CHANNELS.node('n1');

function startMemberships() {
  const { broker } = new MemoryCluster().open();
  const refused = new Set<string>();
  const subscribe = broker.subscribe.bind(broker);
  broker.subscribe = async channel => {
    if (refused.has(channel)) throw new HubbubError('UNAVAILABLE', 'Redis did not confirm the subscription.');
    await subscribe(channel);
  };
  const interest = new Interest(broker as Broker, 0);
  const memberships = new Memberships({
    interest,
    channels: CHANNELS,
    nodeChannel: NODE_CHANNEL,
    audiences: new Audiences({ channels: CHANNELS, sessions: new Sessions(), namespaces: {} } as never),
    presence: { sessionOpened() {}, sessionClosed() {} } as never,
    feeds: {} as never,
    joinFeed: {} as never,
    roomTokens: { joined() {}, left() {} },
    accounts: { note() {} },
    tracing: noTracing,
    log: SILENT,
  });
  return { memberships, interest, refused };
}

function sessionDouble(): Session {
  const socket = { subscribe: () => true, unsubscribe: () => true };
  return { user: { id: 'ada' }, encoding: 'json', state: 'opening', closed: false, rooms: new Set(), socket } as never;
}

test.each([
  ['for all', CHANNELS.broadcast],
  ['for its node', NODE_CHANNEL],
  ['for its user', CHANNELS.user('ada')],
])('a session does not open before the channel %s is confirmed, and keeps no channel', async (_, channel) => {
  const { memberships, interest, refused } = startMemberships();
  refused.add(channel);
  const session = sessionDouble();
  await expect(memberships.open(session)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(session.state).toBe('opening');
  await expect.poll(() => interest.size).toBe(0);

  refused.clear();
  await memberships.open(session);
  expect(session.state).toBe('open');
  memberships.close(session);
  await expect.poll(() => interest.size).toBe(0);
});
