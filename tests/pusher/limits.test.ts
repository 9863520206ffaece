/** Limits of a session, as clients of Pusher see them. */
import { expect, test } from 'vitest';
import { nextEvent, startPusherStory } from './story.js';

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
