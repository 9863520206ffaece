/** Limits of a session, as clients of Pusher see them. */
import { countOf, eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { nextEvent, startPusherStory } from './story.js';

/** The client subscribes to the channel of the user, too. */
const CALLS_OF_SUBSCRIPTION = 3;

test('a subscription above the rate of frames is refused with the name of its channel', async () => {
  const story = await startPusherStory({
    edges: 1,
    env: { HUBBUB_MAX_FRAMES_PER_SECOND: '1', HUBBUB_MAX_FRAMES_BURST: '2' },
  });
  const client = story.client(0);
  await nextEvent(client.connection, 'connected');
  const channels = ['one', 'two', 'three', 'four'].map(name => client.subscribe(name));
  const last = channels.at(-1);
  if (last === undefined) throw new Error('There is no channel.');
  expect(await nextEvent(last, 'pusher:subscription_error')).toMatchObject({ type: 'LimitReached', status: 429 });
});

test('a sign-in causes three calls for each room of the user, and for each watched user that is new to the edge', async () => {
  const story = await startPusherStory({ edges: 1, app: { watchlists: true } });
  const calls = () => countOf(story.cluster.edge(0), 'hubbub_edge_caused_calls_total');
  const callsOfSignin = async (id: string, watchlist: readonly string[]) => {
    const before = await calls();
    const client = story.client(0, { userData: { id, watchlist } });
    client.signin();
    await eventually(() => client.user.serverToUserChannel?.subscribed === true);
    return (await calls()) - before - CALLS_OF_SUBSCRIPTION;
  };
  expect(await callsOfSignin('ann', [])).toBe(6);
  expect(await callsOfSignin('bob', ['eve', 'zoe', 'eve'])).toBe(12);
  expect(await callsOfSignin('kim', ['eve', 'max'])).toBe(9);
});
