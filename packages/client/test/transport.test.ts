/** Real sockets on a real server: both transports, both encodings, refusals and cuts. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type ClientOptions, type ConnectionState, HubbubClient } from '../src/index.js';
import { msgpackCodec } from '../src/msgpack.js';
import { openTransport as openBrowserTransport } from '../src/transport-browser.js';
import { openTransport as openNodeTransport } from '../src/transport-node.js';
import { WsEdge } from './support/ws-edge.js';

/** The class of ws has the interface of browsers and stands for their global; theirs does not throw its errors. */
class BrowserLikeSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    this.on('error', () => {});
  }
}

/** Waits for a condition, however busy the machine is. */
const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 20_000 });

function nextState(client: HubbubClient, wanted: ConnectionState): Promise<void> {
  return new Promise(resolve => client.on('state', ({ state }) => state === wanted && resolve()));
}

let edge: WsEdge;
let clients: HubbubClient[];

beforeEach(async () => {
  edge = await WsEdge.start();
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  await until(() => expect(edge.members.size).toBe(0));
  await edge.stop();
  vi.unstubAllGlobals();
});

function createClient(options: Partial<ClientOptions> = {}): HubbubClient {
  const client = new HubbubClient({ url: edge.url, token: 'a.b.c', baseDelayMs: 20, maxDelayMs: 50, ...options });
  clients.push(client);
  return client;
}

describe.each([
  ['Node', openNodeTransport],
  ['browsers', openBrowserTransport],
] as const)('the transport of %s', (_name, openTransport) => {
  beforeEach(() => vi.stubGlobal('WebSocket', BrowserLikeSocket));

  it('carries a talk between JSON and MessagePack', async () => {
    const json = createClient({ openTransport });
    const packed = createClient({ openTransport, codec: msgpackCodec });
    await Promise.all([json.connect(), packed.connect()]);
    const heard = vi.fn();
    json.room('general').on('new_message', ({ payload }) => heard('json', payload));
    packed.room('general').on('new_message', ({ payload }) => heard('msgpack', payload));
    await Promise.all([json.room('general').join(), packed.room('general').join()]);
    await json.room('general').send({ text: 'grüß dich' });
    await packed.room('general').send({ text: 'hello', n: 1.5 });
    await until(() => expect(heard).toHaveBeenCalledTimes(2));
    expect(heard.mock.calls).toEqual([
      ['msgpack', { text: 'grüß dich' }],
      ['json', { text: 'hello', n: 1.5 }],
    ]);
    expect(await packed.ping()).toBeGreaterThan(0);
  });

  it('rejoins its rooms after a cut, and sends the waiting messages', async () => {
    const [a, b] = [createClient({ openTransport }), createClient({ openTransport })];
    const heard = vi.fn();
    b.room('general').on('new_message', ({ payload }) => heard(payload));
    await Promise.all([a.connect(), b.connect(), a.room('general').join(), b.room('general').join()]);
    const down = [a, b].map(client => nextState(client, 'waiting'));
    edge.cut();
    await Promise.all(down);
    await until(() => expect(b.state).toBe('open'));
    await a.room('general').send({ n: 1 });
    await until(() => expect(heard).toHaveBeenCalledExactlyOnceWith({ n: 1 }));
    expect([a.state, a.room('general').state]).toEqual(['open', 'joined']);
  });

  it('reports a close code', async () => {
    const client = createClient({ openTransport });
    await client.connect();
    const closed = new Promise(resolve => client.on('state', resolve));
    for (const { socket } of edge.members) socket.close(4200, 'kicked by a test');
    expect(await closed).toMatchObject({ state: 'closed', closeCode: 4200, error: { code: 'FORBIDDEN' } });
  });

  it('keeps trying an address without a listener', async () => {
    const { url } = edge;
    await edge.stop();
    const client = new HubbubClient({ url, token: 'a.b.c', baseDelayMs: 20, openTransport });
    const attempts = vi.fn();
    client.on('state', ({ state, closeCode }) => state === 'waiting' && attempts(closeCode));
    void client.connect();
    await until(() => expect(attempts.mock.calls.length).toBeGreaterThan(2));
    expect(attempts).toHaveBeenCalledWith(1006);
    client.close();
  });
});

describe('the transport of browsers', () => {
  beforeEach(() => vi.stubGlobal('WebSocket', BrowserLikeSocket));

  it.each([
    ['', '?errors=close'],
    ['?a=b', '?a=b&errors=close'],
  ])('asks for refusals in a close frame: %s becomes %s', async (query, asked) => {
    await createClient({ url: `${edge.url}${query}`, openTransport: openBrowserTransport }).connect();
    expect(edge.requested.at(-1)).toBe(`/ws${asked}`);
  });

  it('stops where the edge forbids it, and shows why', async () => {
    edge.refusal = { status: 403, code: 'FORBIDDEN', closeCode: 4203 };
    const client = createClient({ openTransport: openBrowserTransport });
    await expect(client.connect()).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'refused by the test' });
    expect(client.state).toBe('closed');
  });

  it('stops with a fixed token that the edge refuses, and asks a function again', async () => {
    edge.refusal = { status: 401, code: 'UNAUTHORIZED', closeCode: 4101 };
    const fixed = createClient({ openTransport: openBrowserTransport });
    await expect(fixed.connect()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const token = vi.fn(() => 'a.b.c');
    const opened = createClient({ openTransport: openBrowserTransport, token }).connect();
    await until(() => expect(token.mock.calls.length).toBeGreaterThan(1));
    edge.refusal = undefined;
    await opened;
  });

  it('waits at least for the time in the close reason', async () => {
    edge.refusal = { status: 429, code: 'RATE_LIMITED', closeCode: 4002, retryAfterMs: 1_000 };
    const client = createClient({ openTransport: openBrowserTransport });
    const delays: unknown[] = [];
    client.on('state', ({ state, delayMs }) => state === 'waiting' && delays.push(delayMs));
    void client.connect();
    await until(() => expect(delays.at(-1)).toBeGreaterThanOrEqual(1_000));
  });
});

describe('the transport of Node', () => {
  it('shows why an edge refused', async () => {
    edge.refusal = { status: 403, code: 'FORBIDDEN' };
    await expect(createClient().connect()).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'refused by the test' });
    edge.refusal = { status: 401, code: 'UNAUTHORIZED' };
    await expect(createClient().connect()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('asks the token callback again after 401, and heeds Retry-After', async () => {
    edge.refusal = { status: 401, code: 'UNAUTHORIZED' };
    const token = vi.fn(() => 'a.b.c');
    const client = createClient({ token });
    const opened = client.connect();
    await until(() => expect(token.mock.calls.length).toBeGreaterThan(1));
    edge.refusal = { status: 503, code: 'UNAVAILABLE', headers: { 'Retry-After': '1' } };
    const delays: unknown[] = [];
    client.on('state', ({ state, delayMs }) => state === 'waiting' && delays.push(delayMs));
    await until(() => expect(delays.at(-1)).toBeGreaterThanOrEqual(1_000));
    edge.refusal = undefined;
    void client.connect();
    await opened;
  });

  it('may be closed while it dials', async () => {
    const client = createClient();
    void client.connect();
    await until(() => expect(client.state).not.toBe('idle'));
    client.close();
    expect(client.state).toBe('closed');
  });
});
