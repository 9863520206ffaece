/** A hub and its service in one process, without Redis. */
import { startEmbeddedHub } from '@hubbub/cli/embedded';
import { eventually, signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { connect } from '../support/raw-client.js';

test('a program with its own hub hears clients, answers them, and reads rosters', async () => {
  const hub = await startEmbeddedHub({
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_LOG_LEVEL: 'warn',
    HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
    ...withNamespaces({ game: { public: true, events: ['move'] } }),
  });
  cleanup(() => hub.close());
  hub.hubbub.onEvents('game', { group: 'referee' }, async event => {
    await event.reply({ type: 'move.seen', payload: { by: event.user.id } });
  });

  const client = await connect(`ws://127.0.0.1:${hub.port}/ws`, { name: 'u1', token: signToken({ user: 'u1' }) });
  await client.join('game:1');
  client.send({ type: 'move', room: 'game:1', id: 'm1', payload: { to: 'e4' } });
  await client.nextFrame({ type: 'ack', id: 'm1' });
  await client.nextFrame({ type: 'move.seen', id: 'm1', room: 'game:1', payload: { by: 'u1' } });
  expect(await hub.hubbub.presence.roster('game:1')).toMatchObject({ count: 1, users: [{ id: 'u1' }] });
  const { nodes, sessions } = await hub.hubbub.explain({ user: 'u1' });
  expect(nodes).toMatchObject([{ state: 'answered' }]);
  expect(sessions).toMatchObject([{ rooms: ['game:1'], last_frames: ['join_room', 'client_event'] }]);
});

test('its services hear joins and leaves, where the namespace enables them', async () => {
  const hub = await startEmbeddedHub({
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_LOG_LEVEL: 'warn',
    HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
    ...withNamespaces({ game: { public: true, memberEvents: true, leaveGraceMs: 0 } }),
  });
  cleanup(() => hub.close());
  const heard: string[] = [];
  const onGap = ({ event, reason }: { event: string; reason: string }) => heard.push(`${event} ${reason}`);
  const consumer = hub.hubbub.onLifecycle({ group: 'doorman', onGap }, event => {
    heard.push(`${event.event} ${'user' in event ? event.user : event.room}`);
  });
  await eventually(() => consumer.leading);

  const client = await connect(`ws://127.0.0.1:${hub.port}/ws`, { name: 'u1', token: signToken({ user: 'u1' }) });
  await client.join('game:1');
  await eventually(() => heard.includes('member_joined u1'));
  client.close();
  await eventually(() => heard.includes('member_left u1'));
  expect(heard.filter(event => /^(member_|lifecycle_)/.test(event))).toEqual([
    ...['lifecycle_gap began', 'member_joined u1', 'member_left u1'],
  ]);
});
