/** Clients of the SDK behind a proxy that refuses WebSockets: they continue over server-sent events, and return (invariant 1). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Gap, HubbubClient } from '@hubbub/client';
import { msgpackCodec } from '@hubbub/client/msgpack';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { provisionHaproxy, startHaproxy } from '../deploy/support/haproxy.js';
import { temporaryDirectory } from '../deploy/support/proxy.js';
import { startAgain, startTwoEdges, upstreamsOf } from '../deploy/support/rolling.js';
import { cleanup } from '../support/cleanup.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';

const ROOMS = ['kept:red', 'kept:blue'];
const SIDE_ROOMS = ['kept:one', 'kept:two', 'general', 'kept:three'];

beforeAll(() => void provisionHaproxy(), PROVISION_TIMEOUT_MS);

/** HAProxy before two edges. It refuses upgrades until `permit`. */
async function startBlockingProxy() {
  const cluster = await startTwoEdges({ HUBBUB_DRAIN_DELAY_MS: '2000' });
  const list = join(temporaryDirectory(), 'blocked.acl');
  writeFileSync(list, 'websocket\n');
  const rule = `http-request deny deny_status 403 if { hdr(upgrade),lower -f ${list} }`;
  const proxy = await startHaproxy(upstreamsOf(cluster), undefined, rule);
  return { cluster, proxy, permit: () => proxy.command(`del acl ${list} websocket`) };
}

interface Member {
  readonly client: HubbubClient;
  /** By room. */
  readonly heard: Map<string, unknown[]>;
  readonly gaps: Gap[];
}

test('no message is lost or doubled while edges end, rooms change, and WebSockets are permitted again', async () => {
  const { cluster, proxy, permit } = await startBlockingProxy();

  async function enter(user: string, options: object = {}): Promise<Member> {
    const token = () => cluster.token({ user });
    const client = new HubbubClient({ url: proxy.wsUrl, token, baseDelayMs: 100, maxDelayMs: 500, ...options });
    cleanup(() => client.close());
    const heard = new Map<string, unknown[]>(ROOMS.map(room => [room, []]));
    const gaps: Gap[] = [];
    client.on('gap', gap => gaps.push(gap));
    client.on('new_message', ({ room, payload }) => heard.get(room)?.push(payload.n));
    await client.connect();
    await Promise.all(ROOMS.map(room => client.room(room).join()));
    return { client, heard, gaps };
  }

  const writer = await enter('writer');
  const readers = await Promise.all([enter('reader'), enter('packed', { codec: msgpackCodec }), enter('restless')]);
  const all = [writer, ...readers];
  expect(all.map(({ client }) => client.transport)).toEqual(['events', 'events', 'events', 'events']);

  const taken = new Map(ROOMS.map(room => [room, new Map<number, number>()]));
  let sent = 0;
  let isRunning = true;
  const publishing = Promise.all(
    ROOMS.map(async room => {
      while (isRunning) {
        const n = ++sent;
        const { offset = 0 } = await writer.client.room(room).send({ n });
        taken.get(room)?.set(offset, n);
      }
    }),
  );
  const restless = readers[2] as Member;
  const visiting = (async () => {
    while (isRunning) {
      for (const room of SIDE_ROOMS) await restless.client.room(room).join();
      await Promise.all(SIDE_ROOMS.map(room => restless.client.removeRoom(room)));
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  })();
  const flows = async (): Promise<void> => {
    const goal = sent + 100;
    await eventually(() => readers.every(({ heard }) => ROOMS.every(room => Number(heard.get(room)?.at(-1)) > goal)), {
      withinMs: 60_000,
      describe: `every reader has messages after ${goal}`,
    });
  };
  await flows();

  const [killed, drained] = [cluster.edge(0), cluster.edge(1)];
  await killed.process.kill('SIGKILL');
  await flows();
  await startAgain(cluster, killed);
  await eventually(async () => (await proxy.server('edge-1')).status === 'UP', { withinMs: 20_000 });
  expect(await drained.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await flows();
  expect(all.map(({ client }) => client.transport)).not.toContain('websocket');

  await permit();
  await eventually(() => all.every(({ client }) => client.transport === 'websocket' && client.state === 'open'), {
    withinMs: 90_000,
    describe: 'every client is on a WebSocket',
  });
  await flows();
  isRunning = false;
  await Promise.all([publishing, visiting]);

  const expected = new Map(
    [...taken].map(([room, numbers]) => [room, [...numbers].sort(([a], [b]) => a - b).map(([, n]) => n)]),
  );
  for (const { heard } of readers) await eventually(() => expect(heard).toEqual(expected) ?? true);
  expect([...writer.heard.values()].flat(), 'own messages come back as acks alone').toEqual([]);
  for (const { gaps } of all) expect(gaps.filter(({ room }) => ROOMS.includes(room))).toEqual([]);
}, 240_000);
