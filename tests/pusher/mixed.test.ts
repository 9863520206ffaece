/** Clients of Hubbub and of Pusher in one room: each gets frames of its own protocol. */
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { connect } from '../support/raw-client.js';
import { memberIds, nextEvent, type PusherStory, startPusherStory, subscribed } from './story.js';

let story: PusherStory;

beforeAll(async () => {
  story = await startPusherStory({ edges: 1 });
});

test('messages and members reach clients of both protocols', async () => {
  const { wsUrl } = story.cluster.edge(0);
  const room = 'pusher-app1.presence:presence-mixed';
  const channel = await subscribed(story.client(0, { user: { user_id: 'ann' } }), 'presence-mixed');
  const token = story.cluster.token({ user: 'ada', name: 'Ada', rooms: [room] });
  const added = nextEvent(channel, 'pusher:member_added');
  const json = await connect(wsUrl, { name: 'json', token });
  const msgpack = await connect(wsUrl, { name: 'msgpack', token, encoding: 'msgpack' });
  await json.join(room);
  await msgpack.join(room);
  expect(await added).toEqual({ id: 'ada', info: { name: 'Ada' } });
  expect(memberIds(channel)).toEqual(['ada', 'ann']);

  const paid = nextEvent(channel, 'paid');
  await story.server.trigger('presence-mixed', 'paid', { order: 7 });
  expect(await paid).toEqual({ order: 7 });
  for (const client of [json, msgpack]) {
    const { payload } = await client.nextFrame({ type: 'pusher.event', room });
    expect(payload).toEqual({ event: 'paid', data: '{"order":7}' });
  }

  const goal = nextEvent(channel, 'goal');
  expect((await story.api.post('/messages', { room_id: room, type: 'goal', payload: { n: 1 } })).status).toBe(200);
  expect(await goal).toEqual({ n: 1 });
  const message = nextEvent(channel, 'new_message');
  json.send({ type: 'send_message', room, payload: { text: 'hi' } });
  expect(await message).toEqual({ text: 'hi' });
  await msgpack.nextFrame({ type: 'new_message', room });

  channel.trigger('client-hi', { x: 1 });
  for (const client of [json, msgpack]) {
    const { payload, sender } = await client.nextFrame({ type: 'pusher.event', room });
    expect(payload).toEqual({ event: 'client-hi', data: { x: 1 }, user_id: 'ann' });
    expect(sender).toEqual({ id: 'ann', name: 'ann' });
  }

  const received: unknown[] = [];
  channel.bind_global((event: string) => received.push(event));
  json.send({ type: 'typing', room });
  await msgpack.nextFrame({ type: 'user_typing', room });
  await json.close();
  await msgpack.close();
  await eventually(() => received.length > 0, { withinMs: 15_000 });
  expect(received, 'typing is not an event of Pusher').toEqual(['pusher:member_removed']);
});

test('a token without the room, or with rooms of another namespace, does not open a private channel', async () => {
  for (const rooms of [undefined, ['chat:*', 'private-orders', 'pusher-app:*']]) {
    const token = story.cluster.token({ user: 'ada', ...(rooms !== undefined && { rooms }) });
    const client = await connect(story.cluster.edge(0).wsUrl, { name: 'ada', token });
    const answer = await client.ask({ type: 'join_room', payload: { room_id: 'pusher-app1:private-orders' } });
    expect(answer).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
  }
});
