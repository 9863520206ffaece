/** The joint guarantee of the limits, with every setting at its default, on both brokers. */
import { expect, test } from 'vitest';
import { startCluster, startEmbedded } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';

const MAX_ROOMS = 100;

test.each([
  ['in memory', startEmbedded],
  ['on Redis', () => startCluster({ edges: 1 })],
])(
  'as many rooms as a session may be in are joined in one burst, with a message to each behind them: %s',
  async (_, start) => {
    const cluster = await start();
    const client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'u' }) });
    await client.nextFrame('welcome');
    const rooms = Array.from({ length: MAX_ROOMS }, (_, n) => `room-${n}`);
    for (const room of rooms) client.send({ type: 'join_room', id: room, payload: { room_id: room } });
    for (const room of rooms) client.send({ type: 'send_message', id: `m-${room}`, room, payload: {} });
    const answers: string[] = [];
    for (const id of rooms.flatMap(room => [room, `m-${room}`])) answers.push((await client.nextFrame({ id })).type);
    expect(answers.filter(type => type !== 'ack')).toEqual([]);
  },
  60_000,
);
