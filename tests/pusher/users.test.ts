/** Users that sign in to the Pusher protocol: their events, the end of their connections, and presence by sign-in. */
import { countOf, eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { memberIds, nextEvent, type PusherStory, startPusherStory, subscribed } from './story.js';

let story: PusherStory;

beforeAll(async () => {
  story = await startPusherStory();
});

/** A client that has signed in, and the events of its user. */
async function signedIn(edge: number, id: string) {
  const client = story.client(edge, { userData: { id, user_info: { name: id } } });
  client.signin();
  await client.user.signinDonePromise;
  await eventually(() => client.user.serverToUserChannel?.subscribed === true, {
    describe: 'the channel of the user is subscribed',
  });
  return client;
}

test('an event for a user reaches its connections on both edges, and no others', async () => {
  const [phone, laptop, other] = [await signedIn(0, 'ann'), await signedIn(1, 'ann'), await signedIn(1, 'bob')];
  const received: unknown[] = [];
  other.user.bind('hello', (data: unknown) => received.push(data));
  const both = Promise.all([nextEvent(phone.user, 'hello'), nextEvent(laptop.user, 'hello')]);
  await story.server.sendToUser('ann', 'hello', { n: 1 });
  expect(await both).toEqual([{ n: 1 }, { n: 1 }]);
  const last = nextEvent(other.user, 'last');
  await story.server.sendToUser('bob', 'last', {});
  await last;
  expect(received).toEqual([]);
});

test('the channel of another user is refused with 401', async () => {
  const client = await signedIn(0, 'ann');
  const error = nextEvent(client, 'pusher:subscription_error');
  client.send_event('pusher:subscribe', { channel: '#server-to-user-bob' });
  expect(await error).toMatchObject({ type: 'AuthError', status: 401 });
});

test('a wrong signature of a sign-in is answered with an error', async () => {
  const client = story.client(0);
  await nextEvent(client.connection, 'connected');
  const error = nextEvent(client.connection, 'error');
  client.send_event('pusher:signin', { auth: '278d425bdf160c739803:00', user_data: '{"id":"ann"}' });
  expect(await error).toMatchObject({ data: { code: 4009 } });
});

test('the back end ends the connections of a user with 4009, after which clients do not reconnect', async () => {
  const [phone, laptop, other] = [await signedIn(0, 'eve'), await signedIn(1, 'eve'), await signedIn(1, 'bob')];
  const codes: unknown[] = [];
  for (const client of [phone, laptop]) {
    client.connection.bind('error', ({ error }: { error?: { data?: { code: number } } }) => {
      if (error?.data !== undefined) codes.push(error.data.code);
    });
  }
  await story.server.terminateUserConnections('eve');
  await eventually(() => [phone, laptop].every(client => client.connection.state === 'disconnected'));
  expect(codes).toEqual([4009, 4009]);
  expect(other.connection.state).toBe('connected');
  // Metrics and accounts have the code of Hubbub for the same end: 4200, KICKED.
  await eventually(async () => (await countOf(story.cluster.edge(0), 'hubbub_edge_closes_total{code="4200"}')) === 1);
});

test('a client cannot leave the channel of its user, through which the back end ends its connection', async () => {
  const client = await signedIn(0, 'mia');
  client.send_event('pusher:unsubscribe', { channel: '#server-to-user-mia' });
  await subscribed(client, 'news'); // Its frames are executed in order.
  await story.server.terminateUserConnections('mia');
  await eventually(() => client.connection.state === 'disconnected');
});

test('a user that has signed in joins a presence channel without channel_data', async () => {
  const client = story.client(0, {
    userData: { id: 'zoe', user_info: { name: 'Zoe' } },
    channelAuthorization: {
      transport: 'ajax',
      endpoint: '',
      customHandler: ({ socketId, channelName }, callback) =>
        // As for a private channel: the signature is that of the name alone.
        callback(null, { auth: story.server.authorizeChannel(socketId, channelName).auth } as never),
    },
  });
  client.signin();
  await client.user.signinDonePromise;
  expect(memberIds(await subscribed(client, 'presence-lobby'))).toEqual(['zoe']);
});
