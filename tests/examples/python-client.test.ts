/** examples/python-client, which was written from PROTOCOL.md alone, on a cluster of two edges. */

import { eventually, signToken } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { enter, joinAt, position, startWithHistory, stream } from '../recovery/support.js';
import type { TestCluster } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS, provisionPython } from '../support/provision.js';
import { startRedis } from '../support/redis.js';
import { PythonPerson, type PythonPersonOptions, REQUIREMENTS } from './python-people.js';

const TIMEOUT_MS = 120_000;

let python: string;

beforeAll(() => {
  python = provisionPython(REQUIREMENTS);
}, PROVISION_TIMEOUT_MS);

/** Ada, whose client starts at the first edge and continues with the next one after each connection. */
function startAda(cluster: TestCluster, options: Partial<PythonPersonOptions> = {}): PythonPerson {
  const urls = cluster.edges.map(edge => edge.wsUrl);
  return new PythonPerson({ python, urls, token: () => cluster.token({ user: 'ada' }), ...options });
}

function offsets(person: PythonPerson, room: string): (number | undefined)[] {
  return person.frames.filter(frame => frame.type === 'new_message' && frame.room === room).map(({ offset }) => offset);
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

describe('the Python client', () => {
  test(
    'joins, sends, hears, leaves, and joins again at a position',
    async () => {
      const cluster = await startWithHistory();
      const ada = startAda(cluster);
      await ada.notice('ready');
      await ada.notice('open', { user: { id: 'ada' }, subprotocol: 'hubbub.v1.json' });
      expect(await ada.execute({ do: 'join', room: 'chat:1' })).toMatchObject({ offset: 0 });
      const bob = await enter(cluster, cluster.edge(1), 'bob');
      await bob.join('chat:1');

      const ack = await ada.execute({ do: 'send', room: 'chat:1', payload: { content: 'hi' } });
      const heard = await bob.nextFrame({ type: 'new_message', sender: { id: 'ada' }, payload: { content: 'hi' } });
      expect(ack).toMatchObject({ type: 'ack', offset: 1, payload: { message_id: heard.id } });
      await bob.ask({ type: 'send_message', room: 'chat:1', payload: { content: 'hello' } });
      const { epoch, offset } = await ada.frame({ type: 'new_message', payload: { content: 'hello' } });
      expect(offset).toBe(2);

      await ada.execute({ do: 'leave', room: 'chat:1' });
      await bob.ask({ type: 'send_message', room: 'chat:1', payload: { content: 'are you there?' } });
      const joined = await ada.execute({ do: 'join', room: 'chat:1', since: { epoch, offset } });
      expect(joined).toMatchObject({ offset: 3, recovered: true });
      expect(offsets(ada, 'chat:1'), 'the third came once, by the replay').toEqual([2, 3]);
      await expect(ada.execute({ do: 'send', room: 'chat:2', payload: {} })).rejects.toThrow('NOT_IN_ROOM');
    },
    TIMEOUT_MS,
  );

  test.each(['json', 'msgpack'] as const)(
    'resumes after kill -9 of its edge: nothing is lost or doubled (%s)',
    async encoding => {
      const cluster = await startWithHistory();
      const ada = startAda(cluster, { encoding });
      await ada.notice('ready');
      for (const room of ['chat:1', 'chat:2', 'plain:1']) await ada.execute({ do: 'join', room });
      const bob = await enter(cluster, cluster.edge(1), 'bob');
      await bob.join('chat:1');
      await bob.join('chat:2');

      const start = position(await joinAt(bob, 'chat:3'));
      for (const n of upTo(5)) await bob.ask({ type: 'send_message', room: 'chat:3', payload: { n } });
      const messages = stream(bob, 'chat:1');
      await eventually(() => offsets(ada, 'chat:1').length > 10);
      cluster.edge(0).process.pause(); // Frames that Ada sends now have no answer when the edge dies.
      const sends = upTo(20).map(n => ada.execute({ do: 'send', room: 'chat:2', payload: { n } }));
      const join = ada.execute({ do: 'join', room: 'chat:3', since: start });
      await ada.execute({ do: 'echo' });
      await cluster.edge(0).process.kill('SIGKILL');
      await eventually(() => ada.notices('ready').length === 2, { describe: 'Ada resumes at the other edge' });
      expect(ada.notices('closed')).toMatchObject([{ action: 'reconnect' }]);
      await Promise.all([...sends, join]);
      expect(offsets(ada, 'chat:3'), 'replayed by the resume and by the repeated join').toEqual(upTo(5));
      const resumedAt = messages.sent;
      await eventually(() => messages.sent > resumedAt + 10);
      const last = await messages.stop();
      await ada.frame({ type: 'new_message', room: 'chat:1', offset: last });
      expect(offsets(ada, 'chat:1')).toEqual(upTo(last));

      await ada.execute({ do: 'send', room: 'chat:2', payload: { n: 21 } });
      await bob.nextFrame({ type: 'new_message', room: 'chat:2', payload: { n: 21 } });
      const heard = bob.frames.filter(frame => frame.type === 'new_message' && frame.room === 'chat:2');
      const numbers = heard.map(({ payload }) => payload?.n as number);
      expect(numbers.sort((a, b) => a - b)).toEqual(upTo(21));
      await ada.notice('gap', { room_id: 'plain:1', reason: 'no_history' });
      expect(ada.notices('gap')).toHaveLength(1);
    },
    TIMEOUT_MS,
  );

  test(
    'continues in the epoch that follows a restart of Redis with all data: no gap, nothing lost or doubled',
    async () => {
      const redis = await startRedis({ own: true });
      const cluster = await startWithHistory({ redis });
      const ada = startAda(cluster);
      await ada.notice('ready');
      await ada.execute({ do: 'join', room: 'chat:1' });
      const bob = await enter(cluster, cluster.edge(1), 'bob');
      const { epoch } = position(await joinAt(bob, 'chat:1'));
      const before = stream(bob, 'chat:1');
      await eventually(() => offsets(ada, 'chat:1').length > 5);
      await before.stop();
      await redis.restart({ keepData: true });
      const after = stream(bob, 'chat:1', before.sent);
      await eventually(() => after.sent > before.sent + 5);
      const last = await after.stop();
      await ada.frame({ type: 'new_message', room: 'chat:1', offset: last });
      expect(offsets(ada, 'chat:1')).toEqual(upTo(last));
      expect(ada.frames.at(-1)?.epoch).not.toBe(epoch);
      expect(ada.notices('gap').filter(({ room_id }) => room_id !== undefined)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    'moves to the other edge when its edge drains: nothing is lost or doubled',
    async () => {
      const cluster = await startWithHistory({ env: { HUBBUB_DRAIN_WINDOW_MS: '1000' } });
      const ada = startAda(cluster);
      await ada.notice('ready');
      await ada.execute({ do: 'join', room: 'chat:1' });
      const bob = await enter(cluster, cluster.edge(1), 'bob');
      await bob.join('chat:1');
      const messages = stream(bob, 'chat:1');
      await eventually(() => offsets(ada, 'chat:1').length > 10);

      const exit = cluster.edge(0).process.kill('SIGTERM');
      expect(await ada.notice('moving')).toEqual({ delay_ms: expect.any(Number) });
      await eventually(() => ada.notices('ready').length === 2, { describe: 'Ada resumes at the other edge' });
      expect(ada.notices('closed')).toMatchObject([{ action: 'move' }]);
      expect(await exit).toEqual({ code: 0, signal: null });
      const last = await messages.stop();
      await ada.frame({ type: 'new_message', room: 'chat:1', offset: last });
      expect(offsets(ada, 'chat:1')).toEqual(upTo(last));
      expect(ada.notices('gap')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    'refreshes its token: the session outlives the first token',
    async () => {
      const cluster = await startWithHistory({ env: { HUBBUB_JWT_LEEWAY_MS: '0' } });
      const ada = startAda(cluster, { token: () => cluster.token({ user: 'ada', ttlMs: 3000 }) });
      await ada.notice('ready');
      await ada.execute({ do: 'join', room: 'chat:1' });
      // A session ends within 2 s after its token: four refreshes, each after 1.6 s or more, take longer than both.
      await eventually(() => ada.notices('refreshed').length === 4);
      expect(await ada.execute({ do: 'refresh' })).toBeGreaterThan(0);
      const bob = await enter(cluster, cluster.edge(1), 'bob');
      await bob.join('chat:1');
      await bob.ask({ type: 'send_message', room: 'chat:1', payload: { content: 'still there?' } });
      await ada.frame({ type: 'new_message', payload: { content: 'still there?' } });
      expect(ada.notices('open')).toHaveLength(1);
      expect(ada.notices('closed')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  const wrongToken = signToken({ user: 'ada', secret: 'a-secret-that-the-edges-do-not-have-at-all' });
  test.each([
    { title: 'the edge closed with 4100', second: undefined, closed: { action: 'renew', reason: /4100/ } },
    { title: 'the edge refused a refresh', second: wrongToken, closed: { action: 'reconnect', reason: /./ } },
  ])(
    'renews the token and resumes after $title',
    async ({ second, closed }) => {
      const cluster = await startWithHistory({ env: { HUBBUB_JWT_LEEWAY_MS: '0' } });
      // The first lives from when it is asked for: the start of Python may take longer than 3 s.
      const first = () => cluster.token({ user: 'ada', ttlMs: 3000 });
      const ada = startAda(cluster, {
        token: index => (index === 0 ? first() : index === 1 ? second : cluster.token({ user: 'ada' })),
      });
      await ada.notice('ready');
      await ada.execute({ do: 'join', room: 'chat:1' });
      const bob = await enter(cluster, cluster.edge(1), 'bob');
      await bob.join('chat:1');
      const messages = stream(bob, 'chat:1');
      await eventually(() => ada.notices('ready').length === 2, { describe: 'Ada resumes with the third token' });
      const refused = { reason: expect.stringContaining('UNAUTHORIZED') };
      expect(ada.notices('refresh_failed')).toEqual(second === undefined ? [] : [refused]);
      expect(ada.notices('closed')).toEqual([{ ...closed, reason: expect.stringMatching(closed.reason) }]);
      const last = await messages.stop();
      await ada.frame({ type: 'new_message', room: 'chat:1', offset: last });
      expect(offsets(ada, 'chat:1')).toEqual(upTo(last));
    },
    TIMEOUT_MS,
  );

  test(
    'stops when there is no other token than the refused one',
    async () => {
      const cluster = await startWithHistory();
      const refused = cluster.token({ user: 'ada', ttlMs: -60_000 });
      const ada = startAda(cluster, { token: () => refused });
      await ada.process.exited;
      expect(ada.notices('closed').map(({ action }) => action)).toEqual(['renew', 'stop']);
      expect(ada.notices('closed')[0]?.reason).toContain('401');
      expect(ada.notices('stopped')).toHaveLength(1);
    },
    TIMEOUT_MS,
  );

  test(
    'stops when a service disconnects the user',
    async () => {
      const cluster = await startWithHistory();
      const ada = startAda(cluster);
      await ada.notice('ready');
      const control = { type: 'hubbub.disconnect_user', payload: { reason: 'bye' } };
      await cluster.redis.cli('PUBLISH', `${cluster.redis.prefix}:user:{ada}`, JSON.stringify(control));
      expect(await ada.notice('closed')).toEqual({ action: 'stop', reason: expect.stringContaining('4200') });
      await expect(ada.execute({ do: 'join', room: 'chat:1' })).rejects.toThrow('4200');
    },
    TIMEOUT_MS,
  );

  test(
    'speaks MessagePack beside a JSON member',
    async () => {
      const cluster = await startWithHistory();
      const ada = startAda(cluster, { encoding: 'msgpack' });
      await ada.notice('ready');
      await ada.notice('open', { subprotocol: 'hubbub.v1.msgpack' });
      await ada.execute({ do: 'join', room: 'chat:1' });
      const bob = await enter(cluster, cluster.edge(1), 'bob');
      const carol = await enter(cluster, cluster.edge(1), 'carol', 'msgpack');
      await bob.join('chat:1');
      await carol.join('chat:1');

      const bytes = Buffer.from('héllo');
      const payload = { content: 'héllo', bytes: { $base64: bytes.toString('base64') } };
      await ada.execute({ do: 'send', room: 'chat:1', payload });
      expect((await bob.nextFrame({ type: 'new_message', sender: { id: 'ada' } })).payload).toEqual(payload);
      const atCarol = (await carol.nextFrame({ type: 'new_message', sender: { id: 'ada' } })).payload;
      expect(Buffer.from(atCarol?.bytes as Uint8Array)).toEqual(bytes);
      await bob.ask({ type: 'send_message', room: 'chat:1', payload: { n: 1.5, list: ['ä', null, true] } });
      const heard = await ada.frame({ type: 'new_message', sender: { id: 'bob' } });
      expect(heard.payload).toEqual({ n: 1.5, list: ['ä', null, true] });
    },
    TIMEOUT_MS,
  );
});
