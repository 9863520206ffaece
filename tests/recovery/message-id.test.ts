/** `id` matches an answer to its request; `message_id` makes a publish idempotent. */
import type { Frame } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.js';
import type { RawClient } from '../support/raw-client.js';
import { enter, joinAt, startWithHistory } from './support.js';

let cluster: TestCluster;
let rooms = 0;

beforeAll(async () => {
  cluster = await startWithHistory();
});

/** Two tabs of Alice and one of Bob, in a room of their own. */
async function tabs(namespace: string) {
  rooms++;
  const room = `${namespace}:m${rooms}`;
  const first = await enter(cluster, cluster.edge(0), `alice-${rooms}`);
  const second = await enter(cluster, cluster.edge(1), `alice-${rooms}`, 'msgpack');
  const bob = await enter(cluster, cluster.edge(1), `bob-${rooms}`);
  for (const client of [first, second, bob]) await joinAt(client, room);
  return { room, first, second, bob };
}

async function send(client: RawClient, frame: object): Promise<Frame> {
  client.send({ type: 'send_message', ...frame });
  return await client.nextFrame(({ type }) => type === 'ack' || type === 'error');
}

describe.each(['chat', 'plain'])('in %s', namespace => {
  test('two tabs of one user that both count 1, 2, 3 lose nothing', async () => {
    const { room, first, second, bob } = await tabs(namespace);
    for (const id of ['1', '2', '3']) {
      for (const [tab, client] of [first, second].entries()) {
        const answer = await send(client, { room, id, payload: { text: `${tab}/${id}` } });
        expect(answer).toMatchObject({ type: 'ack', id });
        expect(answer.payload).not.toHaveProperty('duplicate');
      }
    }
    const heard = new Set<unknown>();
    for (let n = 0; n < 6; n++) heard.add((await bob.nextFrame('new_message')).payload?.text);
    expect([...heard].sort()).toEqual(['0/1', '0/2', '0/3', '1/1', '1/2', '1/3']);
  });

  test('the ack echoes the id and names the message; new_message has that name', async () => {
    const { room, first, bob } = await tabs(namespace);
    expect(await send(first, { room, id: 'r1', message_id: 'named', payload: {} })).toMatchObject({
      id: 'r1',
      payload: { message_id: 'named' },
    });
    expect((await bob.nextFrame('new_message')).id).toBe('named');
    const made = await send(first, { room, id: 'r2', payload: {} });
    expect(made).toMatchObject({ id: 'r2', payload: { message_id: expect.stringMatching(/./) } });
    expect((await bob.nextFrame('new_message')).id).toBe(made.payload?.message_id);
    // A client that sends no id at all, as the plain browser client does, gets the name of the message as the id.
    const plain = await send(first, { room, payload: {} });
    expect(plain.id).toBe((await bob.nextFrame('new_message')).id);
    expect(plain.payload).toEqual({ message_id: plain.id });
  });
});

test('a repeated message_id changes nothing, and the ack has duplicate: true', async () => {
  const { room, first, second, bob } = await tabs('chat');
  const message = { room, message_id: 'once', payload: { n: 1 } };
  expect((await send(first, { ...message, id: 'r1' })).payload).toEqual({ message_id: 'once' });
  const again = await send(second, { ...message, id: 'r2' });
  expect(again).toMatchObject({ id: 'r2', offset: 1, payload: { message_id: 'once', duplicate: true } });
  await send(first, { room, payload: { n: 2 } });
  expect((await bob.nextFrame('new_message')).payload).toEqual({ n: 1 });
  expect((await bob.nextFrame('new_message')).payload).toEqual({ n: 2 });
});

test('no user suppresses the message of another by sending its message_id first', async () => {
  const { room, first, bob } = await tabs('chat');
  expect(await send(bob, { room, message_id: 'wanted', payload: { by: 'bob' } })).toMatchObject({ offset: 1 });
  const mine = await send(first, { room, message_id: 'wanted', payload: { by: 'alice' } });
  expect(mine).toMatchObject({ offset: 2, payload: { message_id: 'wanted' } });
  expect(mine.payload).not.toHaveProperty('duplicate');
});

test.each(['', 'x'.repeat(65), 7, {}])('the message_id %j is refused', async message_id => {
  const { room, first } = await tabs('chat');
  const answer = await send(first, { room, id: 'r1', message_id, payload: {} });
  expect(answer).toMatchObject({ type: 'error', payload: { code: 'INVALID_FORMAT' } });
  expect(answer.payload?.message).toContain('message_id');
});
