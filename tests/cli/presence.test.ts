/** `hubbub rooms` and `hubbub who` ask presence, page by page. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { runHubbub } from '../support/process.js';
import { connect } from '../support/raw-client.js';

const KEY = 'needle-that-nobody-may-see';
/** More rooms than presence returns in one page: 1,000 and up to 128. */
const MANY = 1300;

let cluster: TestCluster;
let env: Record<string, string>;
beforeAll(async () => {
  cluster = await startCluster({
    edges: 1,
    env: {
      HUBBUB_PRESENCE_API_KEYS: KEY,
      HUBBUB_MAX_ROOMS: '2000',
      HUBBUB_MAX_FRAMES_PER_SECOND: '0',
      HUBBUB_MAX_USER_FRAMES_PER_SECOND: '0',
    },
  });
  env = { HUBBUB_PRESENCE_URL: cluster.presence[0]?.adminUrl ?? '', HUBBUB_PRESENCE_API_KEYS: `${KEY},another` };
  const enter = (user: string, name: string) =>
    connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user, name, rooms: ['*'] }) });
  const [alice, bob] = await Promise.all([enter('alice', 'Alice'), enter('bob', '\u202eBob')]);
  for (const client of [alice, bob]) await client.join('general');
  // A few at a time: an edge bounds the waiting frames of a session.
  for (let n = 0; n < MANY; n += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, at) => alice.join(`many:${n + at}`)));
  }
  await eventually(async () => JSON.parse((await rooms('--prefix', 'many:')).stdout).rooms.length === MANY, {
    withinMs: 40_000,
    describe: `presence knows ${MANY} rooms`,
  });
});

const rooms = (...flags: string[]) => runHubbub(['rooms', '--json', ...flags], env);

describe('rooms', () => {
  test('lists all rooms over several pages, the fullest first', async () => {
    const { code, stdout, stderr } = await rooms();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const listed: Array<{ room: string; count: number }> = JSON.parse(stdout).rooms;
    expect(new Set(listed.map(({ room }) => room)).size).toBe(MANY + 1);
    expect(listed[0]).toEqual({ room: 'general', count: 2 });
  });

  test('filters by users or name, and prints a table', async () => {
    const { code, stdout } = await runHubbub(['rooms', '--min-count', '2'], env);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'users  room\n2      general\n' });
    expect((await runHubbub(['rooms', '--prefix', 'many:129'], env)).stdout.trim().split('\n')).toHaveLength(1 + 11);
  });

  test.each([
    [['--min-count', 'many'], 'Expected a whole number'],
    [['--prefix', 'a b'], 'Expected the beginning of a room name'],
  ])('%j is wrong use', async (flags, notice) => {
    const { code, stderr } = await runHubbub(['rooms', ...flags], env);
    expect(code).toBe(2);
    expect(stderr).toContain(notice);
  });
});

describe('who', () => {
  test('lists every member of a room as JSON', async () => {
    const { code, stdout } = await runHubbub(['who', 'general', '--json'], env);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      room: 'general',
      count: 2,
      users: expect.arrayContaining([
        expect.objectContaining({ id: 'alice', name: 'Alice', online: true }),
        expect.objectContaining({ id: 'bob' }),
      ]),
    });
  });

  test('lists them for people, with control characters of names escaped', async () => {
    const { stdout } = await runHubbub(['who', 'general'], env);
    expect(stdout).toMatch(/^alice +Alice +yes +1 on edge-1$/m);
    expect(stdout).not.toContain('\u202e');
    expect(stdout).toMatch(/\n2 in general\n$/);
    expect((await runHubbub(['who', 'nobody:here'], env)).stdout).toBe('0 in nobody:here\n');
  });

  test('an invalid room name is wrong use', async () => {
    expect(await runHubbub(['who', 'a room'], env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not a room name'),
    });
  });
});

describe.each([[['rooms']], [['who', 'general']]])('%j', args => {
  test('ends with 78 and names both settings when it is not configured', async () => {
    const { code, stderr } = await runHubbub(args);
    expect(code).toBe(78);
    expect(stderr).toContain('HUBBUB_PRESENCE_URL: required here');
    expect(stderr).toContain('HUBBUB_PRESENCE_API_KEYS: required here');
  });

  test('ends with 1 and one line without the key when presence is down or refuses the key', async () => {
    const away = await runHubbub(args, { ...env, HUBBUB_PRESENCE_URL: 'http://127.0.0.1:1' });
    expect(away).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^hubbub: Presence does not answer at .*\n$/),
    });
    const refused = await runHubbub(args, { ...env, HUBBUB_PRESENCE_API_KEYS: `x${KEY}` });
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^hubbub: Presence at .* refuses the key.*\n$/),
    });
    expect(away.stderr + refused.stderr).not.toContain(KEY);
  });
});
