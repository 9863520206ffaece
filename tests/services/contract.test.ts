/** docs/redis-contract.md, line by line: its redis-cli commands, its Python service and its Go program, on a real cluster and without an SDK. */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectHubbub } from '@hubbub/server';
import { adopt, eventually, ProcessOutput } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import {
  PROVISION_TIMEOUT_MS,
  provisionBarePython,
  provisionGo,
  provisionRedisCli,
  titleOf,
} from '../support/provision.js';
import { connect } from '../support/raw-client.js';
import { samplesOf } from '../support/samples.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HISTORY = { historySize: 100, historyTtlMs: 60_000 };
const run = promisify(execFile);

let cluster: TestCluster;
let lines: string[];
let python: string;

beforeAll(() => {
  provisionRedisCli();
  python = provisionBarePython();
}, PROVISION_TIMEOUT_MS);

beforeAll(async () => {
  const shell = samplesOf('docs/redis-contract.md').filter(({ language }) => language === 'sh');
  lines = shell.flatMap(({ code }) => code.trim().split('\n'));
  const env = withNamespaces({
    game: { public: true, events: ['move', 'stop'], ...HISTORY },
    quiet: { public: true, events: ['move'] },
  });
  cluster = await startCluster({ edges: 2, env });
});

async function enter(user: string, edge: number, ...rooms: string[]) {
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user, name: user }) });
  const session = String((await client.nextFrame('welcome')).payload?.session_id);
  for (const room of rooms) await client.join(room);
  return Object.assign(client, { session });
}

describe('its redis-cli lines', () => {
  /** The one line of the page with all these words, with placeholders replaced. */
  async function shell(words: string, replaced: Readonly<Record<string, string>> = {}): Promise<string> {
    const found = lines.filter(line => words.split(' … ').every(part => line.includes(part)));
    if (found.length !== 1) throw new Error(`${found.length} lines of docs/redis-contract.md have ${words}`);
    let line = (found[0] ?? '').replace(/hubbub:(?=[a-z]+[:' ]|broadcast|namespaces)/g, `${cluster.redis.prefix}:`);
    for (const [name, value] of Object.entries(replaced)) line = line.replaceAll(name, value);
    const { stdout } = await run('/bin/sh', ['-c', line.replaceAll('redis-cli ', 'redis-cli -u "$URL" ')], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, URL: cluster.redis.url },
    });
    return stdout.trim();
  }

  test('publish to a room, to a user, to all, past a user, and close a room', async () => {
    const [one, bob] = [await enter('u1', 0, 'general'), await enter('bob', 1, 'general')];
    expect(await shell('room:{general} … build.finished')).toBe('2');
    for (const client of [one, bob]) {
      expect(await client.nextFrame('build.finished')).toMatchObject({ room: 'general', payload: { ok: true } });
    }
    await shell('user:{u1}');
    expect(await one.nextFrame('notification.new')).toMatchObject({ payload: { text: 'Hello' } });
    await shell('broadcast');
    for (const client of [one, bob]) await client.nextFrame('maintenance.soon');
    await shell('exclude_user');
    await bob.nextFrame('user.renamed');
    await shell('hubbub.close_room');
    for (const client of [one, bob])
      await client.nextFrame({ type: 'room_closed', payload: { reason: 'maintenance' } });
    await one.noFrame('user.renamed');
    await bob.noFrame('notification.new');
  });

  test('append to a history once for a key, and read it', async () => {
    const bob = await enter('bob', 1, 'game:1');
    expect(JSON.parse(await shell('HGET … namespaces'))).toEqual(HISTORY);
    // On the channel itself: an edge that missed it there would find it in the history seconds later.
    const published: string[] = [];
    const subscriber = cluster.redis.connection();
    subscriber.on('message', (_: string, envelope: string) => published.push(envelope));
    await subscriber.subscribe(`${cluster.redis.prefix}:room:{game:1}`);
    const [epoch, offset, repeated] = (await shell('EVAL … history-append.lua')).split('\n');
    expect([offset, repeated]).toEqual(['1', '0']);
    expect(await bob.nextFrame('move.made')).toMatchObject({ room: 'game:1', offset: 1, payload: { to: 'e4' } });
    expect((await shell('EVAL … history-append.lua')).split('\n')).toEqual([epoch, '1', '1']);
    const entries = await shell('XRANGE … stream');
    expect(entries).toContain('1-0\ne\n');
    expect(entries).toContain(`{"o":1,"h":"${epoch}","e":"j"`);
    expect(entries).not.toContain('2-0');
    expect(await shell('HMGET … meta')).toBe(`${epoch}\n1`);
    await subscriber.ping(); // Published messages arrive before the answer.
    expect(published).toEqual([expect.stringContaining(`\u0001{"o":1,"h":"${epoch}","e":"j"`)]);
    // Clients have it from the history, too, and an SDK continues behind it.
    const carol = await enter('carol', 0, 'game:1');
    const { payload } = await carol.ask({ type: 'history', room: 'game:1' });
    expect(payload).toMatchObject({ epoch, messages: [{ type: 'move.made', offset: 1, payload: { to: 'e4' } }] });
    const hubbub = connectHubbub({ redisUrl: cluster.redis.url, redisPrefix: cluster.redis.prefix });
    cleanup(() => hubbub.close());
    expect(await hubbub.publishToRoom('game:1', { type: 'n' })).toMatchObject({ epoch, offset: 2 });
  });

  test('read events by a group of their own, acknowledge them, and answer', async () => {
    const alice = await enter('alice', 0, 'game:2');
    alice.send({ type: 'move', room: 'game:2', id: 'm1', payload: { to: 'e5' } });
    await alice.nextFrame({ type: 'ack', id: 'm1' });
    expect(await shell('XGROUP CREATE')).toBe('OK');
    const read = (await shell('XREADGROUP')).split('\n');
    const field = (name: string) => read[read.indexOf(name) + 1];
    expect(read).toContain('{"to":"e5"}');
    expect(field('session')).toBe(alice.session);
    const entryId = read.find(text => /^\d+-\d+$/.test(text)) ?? '';
    expect(await shell('XACK', { '1700000000000-0': entryId })).toBe('1');
    await shell('move.seen', { 'k3f.1': alice.session, 'game:1': 'game:2' });
    expect(await alice.nextFrame('move.seen')).toMatchObject({ id: 'm1', room: 'game:2' });
  });

  test('read dead letters, and the lifecycle of users and rooms', async () => {
    const alice = await enter('alice', 0, 'game:3');
    const hubbub = connectHubbub({ redisUrl: cluster.redis.url, redisPrefix: cluster.redis.prefix });
    cleanup(() => hubbub.close());
    alice.send({ type: 'move', room: 'game:3', id: 'bad' });
    const options = { group: 'referee', maxAttempts: 2, retryDelayMs: 1, onDeadLetter: () => {} };
    hubbub.onEvents('game', options, () => {
      throw new Error('no such move');
    });
    await eventually(async () => (await shell('dead:referee')).includes('no such move'));
    // One of the partitions has the events of this room and its user.
    const all = async () => {
      const streams = Array.from({ length: 16 }, (_, n) => shell('XREAD COUNT', { '{p0}': `{p${n}}` }));
      return (await Promise.all(streams)).join('\n');
    };
    await eventually(async () => /room_occupied[\s\S]*game:3/.test(await all()));
  });

  test('are all run here', () => {
    const tried = [
      ...[
        'build.finished',
        'user:{u1}',
        'broadcast',
        'exclude_user',
        'hubbub.close_room',
        'HGET',
        'EVAL',
        'XRANGE',
        'HMGET',
      ],
      ...['XGROUP CREATE', 'XREADGROUP', 'XACK', 'move.seen', 'dead:referee', 'XREAD COUNT'],
    ];
    expect(lines.filter(line => !tried.some(words => line.includes(words)))).toEqual([]);
  });
});

describe('its service in Python, with nothing installed', () => {
  function startService() {
    const args = [`${ROOT}docs/contract/service.py`, '127.0.0.1', String(cluster.redis.port), cluster.redis.prefix];
    const child = spawn(python, ['-B', ...args, `${ROOT}packages/broker/lua`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    adopt(child);
    cleanup(() => child.kill('SIGKILL'));
    const output = new ProcessOutput();
    output.read(child.stdout);
    output.read(child.stderr);
    const exitCode = new Promise(resolve => child.once('close', resolve));
    return { output, exitCode, kill: () => child.kill('SIGKILL') };
  }
  const ready = (service: ReturnType<typeof startService>) =>
    eventually(() => service.output.lines.includes('ready'), {
      describe: `it is ready; said: ${service.output.tail()}`,
    });

  test('hears, publishes into the history with the sender, reads it, answers one session; after a kill it continues', async () => {
    const room = 'game:py';
    const [alice, phone, bob] = [
      await enter('alice', 0, room),
      await enter('alice', 0, room),
      await enter('bob', 1, room),
    ];
    const service = startService();
    await ready(service);
    alice.send({ type: 'move', room, id: 'py1', payload: { to: 'é4' } });
    expect(await alice.nextFrame('move.seen')).toMatchObject({ id: 'py1', room, payload: { number: 1, offset: 1 } });
    const made = await bob.nextFrame('move.made');
    expect(made).toMatchObject({ room, offset: 1, payload: { to: 'é4' }, sender: { id: 'alice', name: 'alice' } });
    expect(Date.parse(made.timestamp ?? '')).toBeGreaterThan(Date.now() - 60_000);
    const stream = `${cluster.redis.prefix}:events:{game}`;
    const pending = async () => (await cluster.redis.cli('XPENDING', stream, 'py-referee')).split('\n')[0];
    // The service acknowledges after its answer; a kill in between would deliver `py1` again.
    await eventually(async () => (await pending()) === '0', { describe: 'py1 is acknowledged' });

    service.kill();
    await service.exitCode;
    // As if it had been killed between its work and the acknowledgement.
    alice.send({ type: 'move', room, id: 'py2', payload: { to: 'e5' } });
    await alice.nextFrame({ type: 'ack', id: 'py2' });
    const taken = await cluster.redis.cli('XREADGROUP', 'GROUP', 'py-referee', 'py-1', 'STREAMS', stream, '>');
    expect(taken).toContain('py2');
    const again = startService();
    await ready(again);
    expect(await alice.nextFrame('move.seen')).toMatchObject({ id: 'py2', payload: { number: 2, offset: 2 } });
    expect(await bob.nextFrame('move.made')).toMatchObject({ offset: 2, payload: { to: 'e5' } });
    await phone.noFrame('move.seen');

    alice.send({ type: 'stop', room, id: 'end' });
    expect(await again.exitCode).toBe(0);
    expect(await pending()).toBe('0');
  });
});

const go = provisionGo();

test.skipIf(go === undefined)(
  `its program in Go publishes to a room ${titleOf(go, 'Go')}`,
  async () => {
    const bob = await enter('bob', 1, 'go');
    const args = ['run', 'main.go', `127.0.0.1:${cluster.redis.port}`, cluster.redis.prefix, 'go'];
    const { stdout } = await run(go ?? '', args, { cwd: `${ROOT}docs/contract` });
    expect(stdout.trim()).toBe('edges 1');
    expect(await bob.nextFrame('build.finished')).toMatchObject({ room: 'go', payload: { ok: true, by: 'go' } });
  },
  PROVISION_TIMEOUT_MS, // It compiles the standard library on a fresh machine.
);
