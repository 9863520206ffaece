/** `hubbub publish` and `hubbub tail`: members receive what one publishes, and the other prints it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { encodeEnvelope } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { runHubbub, TestProcess } from '../support/process.js';
import { connect } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';

const MAIN = fileURLToPath(new URL('../../apps/hubbub/dist/cli/main.js', import.meta.url));
const SECRET = 'needle-that-nobody-may-see-0123456789';

let cluster: TestCluster;
let env: Record<string, string>;
beforeAll(async () => {
  const namespaces = withNamespaces({ log: { public: true, historySize: 10 } });
  cluster = await startCluster({ edges: 1, presence: 0, env: namespaces });
  env = { HUBBUB_REDIS_URL: cluster.redis.url, HUBBUB_REDIS_PREFIX: cluster.redis.prefix, HUBBUB_JWT_SECRET: SECRET };
});

const enter = (user: string) => connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user }) });

/** Runs `hubbub` with a text on its standard input. */
async function fed(input: string, args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH, ...env } });
  const running = new TestProcess(`hubbub ${args[0]}`, child);
  child.stdin.end(input);
  return { ...(await running.exited), lines: running.output.lines };
}

/** Starts `hubbub tail …` and resolves when it listens. */
async function tail(args: readonly string[], variables: Readonly<Record<string, string>> = env) {
  const child = spawn(process.execPath, [MAIN, 'tail', ...args], { env: { PATH: process.env.PATH, ...variables } });
  const running = new TestProcess(`hubbub tail ${args.join(' ')}`, child);
  cleanup(async () => void (await running.kill()));
  const says = (text: string) =>
    eventually(() => running.output.lines.some(line => line.includes(text)), { describe: `tail says ${text}` });
  await running.orExit(says('Ctrl-C ends it'));
  return {
    says,
    running,
    lines: () => running.output.lines.filter(line => !line.includes('Ctrl-C ends it')),
    documents: () => running.output.lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line)),
  };
}

const raw = (channel: string, message: string) =>
  cluster.redis.cli('PUBLISH', `${cluster.redis.prefix}:${channel}`, message);

describe('publish', () => {
  test('reaches the room, a user, and everybody, with the id and payload given', async () => {
    const alice = await enter('alice');
    const bob = await enter('bob');
    await alice.join('general');
    const toRoom = await runHubbub(['publish', 'general', 'build.finished', '{"ok":true}', '--id', 'm1'], env);
    expect(toRoom).toEqual({ code: 0, stdout: 'published build.finished to general\n', stderr: '' });
    await alice.nextFrame({ type: 'build.finished', room: 'general', id: 'm1', payload: { ok: true } });
    expect(await runHubbub(['publish', '--user', 'bob', 'notice'], env)).toMatchObject({ code: 0 });
    await bob.nextFrame('notice');
    expect(await fed('{"text":"from stdin"}', ['publish', '--all', 'news', '-'])).toMatchObject({ code: 0 });
    for (const client of [alice, bob]) await client.nextFrame({ type: 'news', payload: { text: 'from stdin' } });
    await alice.noFrame('notice');
    await bob.noFrame('build.finished');
  });

  test('prints the position in the history, and whether the key was used before', async () => {
    const args = ['publish', 'log:a', 'entry', '--idempotency-key', 'k1', '--json'];
    const first = await runHubbub(args, env);
    expect(JSON.parse(first.stdout)).toMatchObject({ to: { kind: 'room', room: 'log:a' }, offset: 1, repeated: false });
    const again = await runHubbub(args, env);
    expect(JSON.parse(again.stdout)).toMatchObject({ offset: 1, repeated: true });
    expect((await runHubbub(args.slice(0, -1), env)).stdout).toContain('not published again to log:a');
  });

  test.each([
    [['general'], 'expected the type of the message'],
    [['a room', 'x'], '"a room" is not a room name'],
    [['general', 'Not A Type'], 'type: expected a name'],
    [['general', 'x', '{ok:true}'], 'payload: expected JSON'],
    [['general', 'x', '[1]'], 'payload: expected a JSON object'],
    [['general', 'x', '{"a":', '1}'], 'quote the payload'],
    [['--user', 'u', '--all', 'x'], 'expected --user or --all, not both'],
  ])('%j is wrong use: 2, and one line', async (args, notices) => {
    const { code, stdout, stderr } = await runHubbub(['publish', ...args], env);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(notices);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('tail', () => {
  test('prints both encodings, plain JSON, controls and offsets, and counts bytes that are not a message', async () => {
    const { documents, says, running } = await tail(['log:b', '--json']);
    await runHubbub(['publish', 'log:b', 'entry', '{"n":1}'], env);
    await raw('room:{log:b}', '{"type":"plain","payload":{"n":2}}');
    await runHubbub(['publish', 'log:other', 'elsewhere'], env);
    await raw('room:{log:b}', 'no message');
    await raw('room:{log:b}', '{"type":"hubbub.close_room"}');
    const body = msgpackCodec.encode({ type: 'binary', payload: { bytes: new Uint8Array([1, 2]) } });
    const envelope = encodeEnvelope({ encoding: 'msgpack', publishedAtMs: 1000, excludeUser: 'eve' }, body);
    await cluster.redis.connection().publish(`${cluster.redis.prefix}:room:{log:b}`, Buffer.from(envelope));
    await running.orExit(eventually(() => documents().length === 4, { describe: 'four documents' }));
    await says('dropped: 10 bytes that are not a message');
    const to = { kind: 'room', room: 'log:b' };
    expect(documents()).toMatchObject([
      { to, encoding: 'json', offset: 1, epoch: expect.any(String), frame: { type: 'entry', payload: { n: 1 } } },
      { to, encoding: 'plain', frame: { type: 'plain', payload: { n: 2 } } },
      { to, encoding: 'plain', frame: { type: 'hubbub.close_room' } },
      { to, encoding: 'msgpack', at: '1970-01-01T00:00:01.000Z', exclude_user: 'eve', frame: { type: 'binary' } },
    ]);
    expect(await running.kill('SIGINT')).toEqual({ code: 0, signal: null });
  });

  test('prints one line per message for people, without colors outside a terminal and without control characters', async () => {
    const { lines, says, running } = await tail(['--user', 'carol']);
    await raw(
      'user:{carol}',
      '{"type":"evil\\u001b[2J","payload":{"a":"\\u009b31m"},"sender":{"id":"x\\ny","name":"x"}}',
    );
    await runHubbub(['publish', '--user', 'carol', 'last', '{"n":1}'], env);
    await says('last');
    expect(lines()).toHaveLength(2);
    expect(lines()[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}evil\\u001b\[2J {2}x\\u000ay {2}\{"a":"\\u009b31m"\}$/);
    expect(lines()[1]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}last {2}\{"n":1\}$/);
    expect(await running.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('ends by itself after --duration', async () => {
    const { code, stderr } = await runHubbub(['tail', '--all', '--duration', '300ms'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'tailing everybody; Ctrl-C ends it\n' });
  });

  test('reports that Redis was down, and continues', async () => {
    const redis = await startRedis({ own: true });
    const { says } = await tail(['general'], { HUBBUB_REDIS_URL: redis.url });
    await redis.restart();
    await says('messages published in that time are missing here');
    await redis.cli('PUBLISH', 'hubbub:room:{general}', '{"type":"after"}');
    await says('after');
  });

  test.each([
    [[], 'expected a room, or --user <id>, or --all'],
    [['general', '--all'], 'only one of them'],
    [['general', '--duration', 'long'], 'Expected a duration'],
    [['general', 'random'], 'too many arguments'],
  ])('%j is wrong use: 2, and one line', async (args, notices) => {
    const { code, stdout, stderr } = await runHubbub(['tail', ...args], env);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(notices);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe.each([[['publish', 'general', 'x']], [['tail', 'general']]])('%j', args => {
  test('without Redis in the settings ends with 78 and names the setting', async () => {
    const { code, stderr } = await runHubbub(args);
    expect(code).toBe(78);
    expect(stderr).toContain('HUBBUB_REDIS_URL: required here');
  });

  test('without a reachable Redis ends with 1, and names the address, the reason and a remedy, but no password', async () => {
    const { code, stderr } = await runHubbub(args, {
      HUBBUB_REDIS_URL: `redis://me:${SECRET}@127.0.0.1:1`,
      HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '300',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^hubbub: Redis at redis:\/\/•••@127\.0\.0\.1:1.*ECONNREFUSED.*; see: hubbub doctor\n$/);
    expect(stderr).not.toContain(SECRET);
  });
});
