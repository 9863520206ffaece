/** The capacity model with constants that make the sums easy, and the fit of constants. */
import { describe, expect, test } from 'vitest';
import { fitCosts } from '../../tools/bench/capacity/least-squares.mjs';
import { edgeWork, occupied, redisWork } from '../../tools/bench/capacity/work.mjs';
import { planCluster } from '../../tools/plan/model.mjs';

const redis = {
  ...{ turn: 30, source: 10, publish: 1, append: 20, delivery: 1, deliveryKilobyte: 0, write: 5, idle: 0, join: 10 },
  ...{ deliveryBytes: 100, publishReplicatedBytes: 100, appendReplicatedBytes: 1000 },
  ...{ historyBytes: 1000, messageBytes: 100, perMessageByte: 1, keyBytes: 200 },
  ...{ channelBytes: 200, subscriptionBytes: 100, connectionBytes: 20_000, sessionBytes: 150 },
};
const edge = {
  ...{ turn: 50, envelope: 10, historyEnvelope: 5, delivery: 5, send: 20, ping: 5, idle: 0 },
  ...{ join: 300, openRoom: 100, openHistory: 50, notice: 5, deliveryBytes: 20 },
  ...{ emptyBytes: 100_000_000, sessionBytes: 2000, userBytes: 500, roomBytes: 1500, historyRoomBytes: 500 },
};
const constants = {
  redis,
  edge,
  presence: { join: 50, emptyBytes: 100_000_000, sessionBytes: 3000 },
  kernel: { socketBytes: 4000 },
};
const small = {
  ...{ sessions: 100_000, rooms: 10_000, roomsPerSession: 1, sessionsPerUser: 1, spread: 1, presence: true },
  ...{ rate: 1000, bytes: 200, from: 'clients' as 'clients' | 'services', history: 0, joins: 3000 },
  ...{
    turnSeconds: 0.002,
    fixed: {},
    sessionsPerEdge: 50_000,
    spareEdges: 2,
    replicas: 1,
    load: 0.6,
    redisGib: 16,
    edgeGib: 2,
    presenceGib: 2,
    mbit: 1000,
  },
};
type Changes = Partial<typeof small> & { fixed?: Record<string, number> };
const plan = (changes: Changes = {}) => planCluster({ ...small, ...changes }, constants);
const usedOf = (planned: ReturnType<typeof plan>, what: string): number =>
  planned.resources.find(own => own.what === what)?.used ?? Number.NaN;

describe('the plan', () => {
  test('a small cluster needs one primary, edges for its sessions and the spare ones, and two instances of presence', () => {
    expect(plan()).toMatchObject({ fits: true, counts: { edges: 4, primaries: 1, instances: 2 } });
  });

  test('the load on Redis is that of the actions of one turn', () => {
    const { used = 0 } =
      plan({ rate: 500, from: 'services', replicas: 0, presence: false, spread: 0 }).resources.find(
        ({ what }) => what === 'processor of a Redis primary',
      ) ?? {};
    // One message in each turn of 2 ms, to one edge: turn, source, publish, delivery and write, 500 times a second.
    expect(used).toBeCloseTo(500 * (30 + 10 + 1 + 1 + 5) * 1e-6, 9);
  });

  test('members of a room at random are on as many edges as the formula of occupancy gives', () => {
    expect(plan({ sessions: 500_000, rooms: 50_000 }).figures.width).toBeCloseTo(10 * (1 - 0.9 ** 10), 9);
    expect(plan({ sessions: 500_000, rooms: 50_000, spread: 0 }).figures.width).toBe(1);
  });

  test('more messages need more primaries, until each has at most the target load', () => {
    const planned = plan({ sessions: 10_000_000, rooms: 1_000_000, rate: 500_000 });
    expect(planned.counts.primaries).toBeGreaterThan(1);
    expect(planned.fits, `bottleneck: ${planned.bottleneck.what}`).toBe(true);
    expect(usedOf(planned, 'processor of a Redis primary')).toBeLessThanOrEqual(0.6);
  });

  test('histories that do not fit into the memory of one primary need more of them', () => {
    const { counts } = plan({ sessions: 10_000_000, rooms: 1_000_000, rate: 10_000, history: 100, redisGib: 1 });
    expect(counts.primaries).toBeGreaterThan(
      plan({ sessions: 10_000_000, rooms: 1_000_000, rate: 10_000, redisGib: 1 }).counts.primaries,
    );
  });

  test('a history keeps no more messages than arrive before they expire', () => {
    expect(plan({ history: 100, rate: 1000 }).figures.kept).toBe(300_000);
    expect(plan({ history: 10, rate: 1000 }).figures.kept).toBe(100_000);
  });

  test('the rate of one room cannot be shared by more processes, and the plan reports that', () => {
    const planned = plan({ sessions: 1000, rooms: 1, rate: 60_000 });
    expect(planned.fits).toBe(false);
    expect(planned.bottleneck.what).toBe('messages a second of one room');
  });

  test('the bottleneck is the part that is closest to its limit', () => {
    const { resources, bottleneck } = plan();
    const shares = resources.map(({ used, limit }) => used / limit);
    expect(bottleneck.used / bottleneck.limit).toBe(Math.max(...shares));
  });

  test('a wide room needs more primaries even where two do not help much', () => {
    // Each turn of two primaries still reaches all edges; only many more share the writes.
    const planned = plan({ sessions: 10_000_000, rooms: 10_000, rate: 4000, from: 'services' });
    expect(planned.fits, `bottleneck: ${planned.bottleneck.what}`).toBe(true);
  });

  test('fixed numbers of processes stay, and the plan names what they lack', () => {
    const planned = plan({ sessions: 1_000_000, rooms: 100_000, fixed: { edges: 5 } });
    expect(planned.counts.edges).toBe(5);
    expect(planned.fits).toBe(false);
    expect(planned.bottleneck.what).toBe('sessions of an edge');
  });

  test('connections of an edge grow with two per primary', () => {
    const { counts, figures } = plan({ sessions: 10_000_000, rooms: 1_000_000, rate: 500_000 });
    expect(figures.connectionsPerEdge).toBe(2 * counts.primaries + 2);
  });

  test('without presence there are no instances, and no parts of presence', () => {
    const planned = plan({ presence: false });
    expect(planned.counts.instances).toBe(0);
    expect(planned.resources.filter(({ what }) => what.includes('presence'))).toEqual([]);
  });
});

describe('the work of a turn', () => {
  test('a write to an edge is shared by the messages of the turn', () => {
    const one = { width: 8, edges: 8, bytes: 200, history: false };
    expect(redisWork({ ...one, messages: 1 }).write).toBe(8);
    expect(redisWork({ ...one, messages: 32 }).write).toBe(8);
    expect(redisWork({ ...one, messages: 32 }).delivery).toBe(256);
  });

  test('one message occupies as many edges as have a member', () => {
    expect(occupied({ edges: 8, width: 3, messages: 1 })).toBeCloseTo(3, 9);
  });
});

test('the fit finds the costs that the samples were made of', () => {
  const costs = { turn: 80, envelope: 12, historyEnvelope: 0, delivery: 3, send: 0, ping: 0 };
  const works = [
    edgeWork({ turns: 1, envelopes: 1, deliveries: 1 }),
    edgeWork({ turns: 1, envelopes: 4, deliveries: 4 }),
    edgeWork({ turns: 2, envelopes: 8, deliveries: 80 }),
  ];
  const samples = works.map(work => ({ work, cost: work.turn * 80 + work.envelope * 12 + work.delivery * 3 }));
  const fitted = fitCosts(samples);
  for (const [action, cost] of Object.entries(fitted))
    expect(cost, action).toBeCloseTo(costs[action as keyof typeof costs], 1);
});
