/** The SDK's token expires at a real edge: the session continues with a new one, or ends with 4100 and reconnects. */
import { HubbubClient, type StateChange } from '@hubbub/client';
import { msgpackCodec } from '@hubbub/client/msgpack';
import { eventually, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { jwt } from '../support/jwt.js';
import { connect } from '../support/raw-client.js';

/** Renewed when a fifth of it is left, or less. */
const LIFE_MS = 4000;
/** The edge's leeway: time for a renewal on a busy machine. */
const LEEWAY_MS = 2000;

const tokenFor = (lifeMs: number, more: object = {}) =>
  jwt({
    alg: 'HS256',
    key: TEST_JWT_SECRET,
    claims: { sub: 'alice', rooms: ['*'], exp: (Date.now() + lifeMs) / 1000, ...more },
  });

describe('tokens that run out', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startEmbedded({ env: { HUBBUB_JWT_LEEWAY_MS: String(LEEWAY_MS) } });
  });

  function open(token: () => string, options: object = {}): { client: HubbubClient; states: StateChange[] } {
    const client = new HubbubClient({ url: cluster.edge(0).wsUrl, token, baseDelayMs: 50, ...options });
    cleanup(() => client.close());
    const states: StateChange[] = [];
    client.on('state', change => states.push(change));
    return { client, states };
  }

  test.each([
    ['JSON', {}],
    ['MessagePack', { codec: msgpackCodec }],
  ])(
    '%s: renewed by refresh, again and again, on the same connection and without a notice to the others',
    async (encoding, codec) => {
      const startedAtMs = Date.now();
      let asked = 0;
      const { client, states } = open(() => {
        asked++;
        return tokenFor(LIFE_MS);
      }, codec);
      await client.connect();
      const room = `chat:${encoding}`;
      const bob = await connect(cluster.edge(0).wsUrl, { token: tokenFor(60_000, { sub: 'bob' }) });
      await bob.join(room);
      await client.room(room).join();
      const session = client.session?.id;
      const opened = states.length;
      await eventually(() => asked >= 3 && Date.now() > startedAtMs + 2 * LIFE_MS + LEEWAY_MS, {
        describe: 'the first token and the second are over',
      });
      await client.ping();
      expect(client.session?.id).toBe(session);
      expect(states.slice(opened)).toEqual([]);
      await client.room(room).send({ still: 'here' });
      await bob.nextFrame({ type: 'new_message', room, payload: { still: 'here' } });
      await bob.noFrame('user_left');
    },
  );

  test('nothing new from the callback: 4100 when the token is over, and back with the one that it gives then', async () => {
    const first = tokenFor(LIFE_MS);
    let signedInAgain = false;
    const { client, states } = open(() => (signedInAgain ? tokenFor(60_000) : first));
    await client.connect();
    const session = client.session?.id;
    await client.room('chat:back').join();
    await eventually(() => states.some(({ closeCode }) => closeCode === 4100));
    signedInAgain = true;
    await eventually(() => client.state === 'open' && client.session?.id !== session);
    expect(client.room('chat:back').state).toBe('joined');
    expect(states.map(({ state }) => state)).not.toContain('closed');
  });

  test('a fixed token: 4100 ends the client, with the reason', async () => {
    const token = tokenFor(LIFE_MS);
    const client = new HubbubClient({ url: cluster.edge(0).wsUrl, token });
    cleanup(() => client.close());
    const states: StateChange[] = [];
    client.on('state', change => states.push(change));
    await client.connect();
    await eventually(() => client.state === 'closed');
    expect(states.at(-1)).toMatchObject({ closeCode: 4100, error: { code: 'UNAUTHORIZED' } });
  });

  test('a new token that opens less: the room is left, the session and the other rooms stay', async () => {
    let asked = 0;
    const { client, states } = open(() => tokenFor(LIFE_MS, { rooms: asked++ === 0 ? ['*'] : ['chat:*'] }));
    await client.connect();
    const session = client.session?.id;
    await client.room('chat:stays').join();
    await client.room('news:goes').join();
    await eventually(() => client.room('news:goes').state === 'left');
    expect([client.room('chat:stays').state, client.session?.id, client.state]).toEqual(['joined', session, 'open']);
    expect(states.map(({ state }) => state)).not.toContain('moving');
  });

  test('a new token of another user: the session moves, and is that of the other user', async () => {
    let asked = 0;
    const { client, states } = open(() => tokenFor(LIFE_MS, { sub: asked++ === 0 ? 'alice' : 'zoe' }));
    await client.connect();
    await eventually(() => client.session?.user.id === 'zoe' && client.state === 'open');
    expect(states.map(({ state }) => state)).toContain('moving');
  });
});
