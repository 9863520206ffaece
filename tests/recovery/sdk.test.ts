/** Applications while an edge dies under a stream: with the SDK they receive every message, once and in order. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Codec, type Gap, HubbubClient } from '@hubbub/client';
import { msgpackCodec } from '@hubbub/client/msgpack';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster, type TestEdge } from '../support/cluster.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const ROOMS = ['chat:red', 'chat:green', 'chat:blue'] as const;
const READERS = 6;
/** Messages of one room that are on their way together. */
const AT_A_TIME = 5;

let cluster: TestCluster;
let balancer: Balancer;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hubbub-sdk-'));
  cleanup(() => rm(directory, { recursive: true }));
  const config = join(directory, 'hubbub.json');
  const history = { public: true, historySize: 1_000 };
  await writeFile(config, JSON.stringify({ namespaces: { chat: history, short: { ...history, historySize: 5 } } }));
  // The stories send as fast as they can.
  cluster = await startCluster({ edges: 2, env: { HUBBUB_CONFIG: config, HUBBUB_MAX_FRAMES_PER_SECOND: '0' } });
  balancer = await startBalancer(cluster.edges);
});

describe('a stream of numbered messages to clients of the SDK', () => {
  test.each([
    ['is killed', 'SIGKILL'],
    ['leaves', 'SIGTERM'],
  ] as const)(
    'the edge %s, and every client has every message once and in order',
    async (_what, signal) => {
      const victim = await addEdge();
      balancer.prefer(victim);
      const writer = await enter(`writer-${signal}`);
      const readers = await Promise.all(
        Array.from({ length: READERS }, (_, index) =>
          enter(`reader-${signal}-${index}`, index % 2 === 1 ? { codec: msgpackCodec } : {}),
        ),
      );
      const stream = startStream(writer.client);
      await eventually(() => stream.sent > 100);
      balancer.prefer(undefined);
      await victim.process.kill(signal);
      const sentWhenItDied = stream.sent;
      await eventually(() => stream.sent > sentWhenItDied + 300);
      const expected = await stream.stop();
      for (const { heard, gaps } of readers) {
        await eventually(() => expect(heard.get(ROOMS[0])?.at(-1)).toBe(expected.get(ROOMS[0])?.at(-1)));
        await eventually(() => expect(heard).toEqual(expected));
        expect(gaps).toEqual([]);
      }
      expect([...writer.heard.values()].flat()).toEqual([]);
      expect(writer.gaps).toEqual([]);
    },
    60_000,
  );

  test('a client that was away gets the messages it missed, and would not without naming a position', async () => {
    const rooms = ['chat:away'];
    const network = await startTcpProxy({ to: portOf(cluster.edge(0)) });
    const writer = await enter('away-writer', { rooms });
    const reader = await enter('away-reader', { rooms, port: network.port });
    const forgetful = await enter('forgetful-reader', { rooms, port: network.port, codec: withoutPositions });
    const send = (n: number) => writer.client.room('chat:away').send({ n });
    await send(0);
    for (const { heard } of [reader, forgetful]) await came(() => expect(heard.get('chat:away')).toEqual([0]));
    network.sever();
    for (let n = 1; n <= 20; n++) await send(n);
    network.restore();
    await came(() => expect(reader.heard.get('chat:away')).toEqual(Array.from({ length: 21 }, (_, n) => n)));
    expect(reader.gaps).toEqual([]);
    await came(() => expect(forgetful.gaps).toMatchObject([{ room: 'chat:away', before: 22 }]));
    expect(forgetful.heard.get('chat:away')).toEqual([0]);
  });

  test('the room of the path is recovered while messages pour in, like any other', async () => {
    const rooms = ['chat:path'];
    const network = await startTcpProxy({ to: portOf(cluster.edge(0)) });
    const writer = await enter('path-writer', { rooms });
    const reader = await enter('path-reader', { rooms, port: network.port, path: '/rooms/chat:path/ws' });
    const numbers: number[] = [];
    const sent: unknown[] = [];
    reader.client.on('frame', ({ direction, frame }) => direction === 'out' && sent.push(frame?.type));
    const send = async (count: number): Promise<void> => {
      for (const end = numbers.length + count; numbers.length < end; ) {
        const n = numbers.push(numbers.length) - 1;
        await writer.client.room('chat:path').send({ n });
      }
    };
    await send(5);
    for (let breaks = 0; breaks < 5; breaks++) {
      await came(() => expect(reader.heard.get('chat:path')).toEqual(numbers));
      network.sever();
      await send(20);
      network.restore();
      await send(100);
    }
    await came(() => expect(reader.heard.get('chat:path')).toEqual(numbers));
    expect(reader.gaps).toEqual([]);
    // The query named the position.
    expect(sent).not.toContain('resume');
  });

  test('a client that was away for longer than the history gets the gap, then the messages that remain', async () => {
    const rooms = ['short:room'];
    const network = await startTcpProxy({ to: portOf(cluster.edge(0)) });
    const writer = await enter('long-writer', { rooms });
    const { client, heard, gaps } = await enter('long-reader', { rooms, port: network.port });
    const send = (n: number) => writer.client.room('short:room').send({ n });
    const hears = (...numbers: number[]) => came(() => expect(heard.get('short:room')).toEqual(numbers));
    await send(1);
    await hears(1);
    network.sever();
    for (let n = 2; n <= 20; n++) await send(n);
    network.restore();
    await came(() => expect(gaps).toEqual([{ room: 'short:room', reason: 'too_old', since: 1, before: 16 }]));
    await hears(1, 16, 17, 18, 19, 20);
    const { messages, more } = await client.room('short:room').history({ since: 1, before: 16 });
    expect([messages, more]).toEqual([[], false]);
    await send(21);
    await hears(1, 16, 17, 18, 19, 20, 21);
  });
});

/** Resolves when an assertion holds. */
async function came(assertion: () => void): Promise<void> {
  await eventually(() => {
    assertion();
    return true;
  });
}

function portOf({ httpUrl }: TestEdge): number {
  return Number(new URL(httpUrl).port);
}

async function addEdge(): Promise<TestEdge> {
  const edge = await cluster.addEdge();
  balancer.add(edge);
  return edge;
}

interface Member {
  readonly client: HubbubClient;
  readonly heard: Map<string, unknown[]>;
  readonly gaps: Gap[];
}

interface EnterOptions {
  /** Default: JSON. */
  readonly codec?: Codec;
  readonly rooms?: readonly string[];
  /** Default: the balancer. */
  readonly port?: number;
  readonly path?: string;
}

/** The negative control: the requests of an SDK without recovery. */
const withoutPositions: Codec = {
  ...msgpackCodec,
  encode(frame) {
    const rooms = frame.payload?.rooms;
    if (frame.type !== 'resume' || !Array.isArray(rooms)) return msgpackCodec.encode(frame);
    return msgpackCodec.encode({ ...frame, payload: { rooms: rooms.map(({ room_id }) => ({ room_id })) } });
  },
};

async function enter(
  user: string,
  { codec, rooms = ROOMS, port = balancer.port, path = '/ws' }: EnterOptions = {},
): Promise<Member> {
  const client = new HubbubClient({
    url: `ws://127.0.0.1:${port}${path}`,
    token: cluster.token({ user }),
    baseDelayMs: 50,
    maxDelayMs: 500,
    offlineQueueSize: 10_000,
    ...(codec !== undefined && { codec }),
  });
  cleanup(() => client.close());
  const heard = new Map<string, unknown[]>(rooms.map(room => [room, []]));
  const gaps: Gap[] = [];
  client.on('gap', gap => gaps.push(gap));
  client.on('new_message', ({ room, payload }) => heard.get(room)?.push(payload?.n));
  await client.connect();
  await Promise.all(rooms.map(room => client.room(room).join()));
  return { client, heard, gaps };
}

interface Stream {
  readonly sent: number;
  /** Ends the stream and waits for every receipt. Returns the sent messages, by room, in the order of the offsets. */
  stop(): Promise<Map<string, unknown[]>>;
}

/** Sends numbered messages to every room, several at a time, whatever becomes of the connection. */
function startStream(client: HubbubClient): Stream {
  const taken = new Map(ROOMS.map(room => [room as string, new Map<number, number>()]));
  let sent = 0;
  let running = true;
  const send = async (room: string): Promise<void> => {
    const n = ++sent;
    const { offset } = await client.room(room).send({ n });
    const numbers = taken.get(room);
    // Two receipts for one position would mean a lost message.
    expect(numbers?.has(offset ?? 0)).toBe(false);
    numbers?.set(offset ?? 0, n);
  };
  const receipts = (async () => {
    while (running) await Promise.all(Array.from({ length: AT_A_TIME }, () => ROOMS.map(send)).flat());
  })();
  return {
    get sent() {
      return sent;
    },
    async stop() {
      running = false;
      await receipts;
      const inOrder = (numbers: Map<number, number>) => [...numbers].sort(([a], [b]) => a - b).map(([, n]) => n);
      return new Map([...taken].map(([room, numbers]) => [room, inOrder(numbers)]));
    },
  };
}

interface Balancer {
  readonly port: number;
  add(edge: TestEdge): void;
  /** New connections go there; if `undefined`, to each edge in turn that accepts them. */
  prefer(edge: TestEdge | undefined): void;
}

/** One address for all edges, like a balancer. */
async function startBalancer(first: readonly TestEdge[]): Promise<Balancer> {
  const edges = [...first];
  const sockets = new Set<Socket>();
  let preferred: TestEdge | undefined;
  let turn = 0;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => {}); // `close` follows.
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer(from => {
    const alive = edges.filter(({ process }) => process.child.exitCode === null && process.child.signalCode === null);
    const edge = preferred ?? alive[turn++ % alive.length];
    const to = connect(edge === undefined ? 1 : portOf(edge), '127.0.0.1');
    keep(from).pipe(keep(to)).pipe(from);
    from.once('close', () => to.destroy());
    to.once('close', () => from.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => {
    for (const socket of sockets) socket.resetAndDestroy();
    server.close();
  });
  const address = server.address();
  const balancer: Balancer = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    add: edge => edges.push(edge),
    prefer: edge => {
      preferred = edge;
    },
  };
  return balancer;
}
