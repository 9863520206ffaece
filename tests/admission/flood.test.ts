/** A flood of connections, handshakes and frames from some addresses: those on others lose nothing (invariant 8). */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { eventually, metricValue, signToken } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { startProcess } from '../support/process.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { limitCount } from './limit-count.js';

const MEMBERS = 10;
const CONNECTIONS = 3000;
const MAX_CONNECTIONS = 40;
const SEND_EVERY_MS = 50;

/** Members of a room, each on an address of its own, who talk and note how long each message took. */
class Talk {
  readonly #members: readonly RawClient[];
  readonly latenciesMs: number[] = [];
  #sent = 0;
  #heard = 0;
  #acked = 0;
  #goingOn = true;

  constructor(members: readonly RawClient[]) {
    this.#members = members;
    for (const { socket } of members) {
      socket.on('message', data => {
        const frame = JSON.parse(String(data));
        if (frame.type === 'ack' && frame.id?.startsWith('talk-')) this.#acked++;
        if (frame.type !== 'new_message') return;
        this.#heard++;
        this.latenciesMs.push(performance.now() - frame.payload.sentAtMs);
      });
    }
  }

  async talk(): Promise<void> {
    while (this.#goingOn) {
      for (const member of this.#members) {
        const payload = { sentAtMs: performance.now() };
        member.send({ type: 'send_message', room: 'general', id: `talk-${this.#sent++}`, payload });
      }
      await sleep(SEND_EVERY_MS);
    }
  }

  /** Resolves when everybody has heard everything. */
  async end(): Promise<void> {
    this.#goingOn = false;
    await eventually(() => this.#acked === this.#sent, { describe: 'every message was acknowledged' });
    await eventually(() => this.#heard === this.#sent * (MEMBERS - 1), { describe: 'everybody heard everything' });
  }

  p99Ms(): number {
    const sorted = this.latenciesMs.splice(0).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  }
}

test(`${CONNECTIONS} silent connections, as many handshakes and 20,000 frames: refused and closed, and other clients lose nothing`, async () => {
  const cluster = await startCluster({
    edges: 1,
    presence: 0,
    env: { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: String(MAX_CONNECTIONS), HUBBUB_MAX_REFUSALS_PER_MINUTE: '100' },
  });
  const edge = cluster.edge(0);
  const members: RawClient[] = [];
  for (let n = 0; n < MEMBERS; n++) {
    const options = {
      name: `member-${n}`,
      token: cluster.token({ user: `member-${n}` }),
      localAddress: `127.0.2.${n + 1}`,
    };
    members.push(await connect(edge.wsUrl, options));
  }
  for (const member of members) await member.join('general');
  const talk = new Talk(members);
  const talking = talk.talk();
  await eventually(() => talk.latenciesMs.length > 3000);
  const quietMs = talk.p99Ms();

  const flooder = await startProcess([], {
    name: 'flooder',
    script: fileURLToPath(new URL('./flooder.mjs', import.meta.url)),
    env: {
      FLOOD_PORT: new URL(edge.httpUrl).port,
      FLOOD_TOKEN: signToken({ user: 'mallory' }),
      FLOOD_CONNECTIONS: String(CONNECTIONS),
    },
    readyWhen: async () => {},
  });
  const flooded = (await flooder.output.waitForLog({ event: 'flooded' }, { withinMs: 90_000 })) as unknown as {
    silentEnded: number;
    handshakes: Record<string, number>;
    frameSessions: Record<string, number>;
    refusals: Record<string, number>;
    closes: Record<string, number>;
  };
  const floodedMs = talk.p99Ms();
  // A newcomer on another address is admitted while the flood's connections are open.
  const newcomer = await connect(edge.wsUrl, { token: cluster.token({ user: 'newcomer' }), localAddress: '127.0.3.1' });
  await newcomer.nextFrame('welcome');
  await talk.end();
  await talking;
  console.log(`p99 of a message: ${quietMs.toFixed(1)} ms before, ${floodedMs.toFixed(1)} ms in the flood;`, flooded);

  for (const member of members) expect(member.frames.filter(({ type }) => type === 'error')).toEqual([]);
  expect(flooded.silentEnded).toBe(CONNECTIONS);
  expect(flooded.handshakes['101']).toBe(MAX_CONNECTIONS);
  const { 429: refused = 0, ended = 0 } = flooded.handshakes;
  expect(refused).toBeGreaterThan(0);
  expect(refused + ended).toBe(CONNECTIONS - MAX_CONNECTIONS);
  expect(Object.keys(flooded.refusals).sort()).toEqual(['INVALID_FORMAT', 'RATE_LIMITED']);
  expect(flooded.closes).toEqual({ 4001: 10, 4201: 10 });
  // Immediately, or by the engine's time for those who had found a place.
  const unheard = await metricValue(edge, 'hubbub_edge_connections_unheard_total');
  expect((await limitCount(edge, 'silent_connections')) + unheard).toBe(flooded.silentEnded + ended);
  expect(await limitCount(edge, 'refusals')).toBe(20);
  // The edge remembers nothing of clients that have left.
  await flooder.kill();
  await eventually(async () => (await metricValue(edge, 'hubbub_edge_addresses')) === MEMBERS + 1);
  await eventually(async () => (await metricValue(edge, 'hubbub_edge_half_open_connections')) === 0);
}, 180_000);
