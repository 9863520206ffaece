/** One message is one trace: from the request or the client, through Redis, to every edge that delivers it. */
import { randomBytes } from 'node:crypto';
import { connectHubbub } from '@hubbub/server';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ApiProcess, startApi } from '../api/api-process.js';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { type Environment, startCluster, startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startCollector, type TestCollector } from './collector.js';

const PARENT_ID = '00f067aa0ba902b7';
const namespaces = withNamespaces({
  default: { public: true },
  log: { public: true, historySize: 100, historyTtlMs: 60_000 },
  game: { public: true, events: ['move'] },
});

interface Story {
  readonly cluster: TestCluster;
  readonly collector: TestCollector;
  readonly alice: RawClient;
  readonly bob: RawClient;
}

/** Two edges that trace, with Alice on the first and Bob on the second, both in two rooms. */
async function startStory(env: Environment): Promise<Story> {
  const collector = await startCollector();
  const cluster = await startCluster({ env: { HUBBUB_OTLP_URL: collector.url, ...namespaces, ...env } });
  const member = async (user: string, edge: number) => {
    const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }) });
    for (const room of ['general', 'log:1']) await client.join(room);
    return client;
  };
  return { cluster, collector, alice: await member('alice', 0), bob: await member('bob', 1) };
}

async function startTracedApi({ cluster, collector }: Story, ratio: '0' | '1'): Promise<ApiProcess> {
  return await startApi(cluster, { env: { HUBBUB_OTLP_URL: collector.url, HUBBUB_TRACE_RATIO: ratio } });
}

/** A trace of its own for each test. */
function newTrace(): { readonly traceId: string; readonly traceparent: string } {
  const traceId = randomBytes(16).toString('hex');
  return { traceId, traceparent: `00-${traceId}-${PARENT_ID}-01` };
}

/** Waits until the trace has so many spans, and returns each as `parent > name (service)`, sorted. */
async function shapeOf({ collector }: Story, traceId: string, spans: number): Promise<string[]> {
  const ofTrace = () => collector.spans.filter(span => span.traceId === traceId);
  await eventually(() => ofTrace().length >= spans, {
    withinMs: 20_000,
    describe: `${spans} spans of a trace`,
  });
  const names = new Map(ofTrace().map(({ spanId, name }) => [spanId, name]));
  return ofTrace()
    .map(({ parentId, name, node, service }) => {
      return `${names.get(parentId) ?? (parentId || 'nothing')} > ${name} (${service === 'hubbub-edge' ? node : service})`;
    })
    .sort();
}

describe('of a message that a back end or a service publishes', () => {
  let story: Story;
  let api: ApiProcess;

  beforeAll(async () => {
    story = await startStory({ HUBBUB_TRACE_RATIO: '0' });
    api = await startTracedApi(story, '1');
  });

  test('every edge that delivers it continues the trace of the request', async () => {
    const { traceId, traceparent } = newTrace();
    await api.post('/rooms/general/messages', { type: 'build.finished' }, { traceparent });
    for (const member of [story.alice, story.bob]) {
      expect(JSON.stringify(await member.nextFrame('build.finished'))).not.toContain(traceId);
    }
    await api.process.output.waitForLog({ event: 'api_request', operation: 'publishToRoom', trace_id: traceId });
    expect(await shapeOf(story, traceId, 4)).toEqual([
      `${PARENT_ID} > POST /rooms/{room_id}/messages (hubbub-api)`,
      'POST /rooms/{room_id}/messages > publish (hubbub-api)',
      'publish > deliver (edge-1)',
      'publish > deliver (edge-2)',
    ]);
    const { spans, problems } = story.collector;
    expect(problems).toEqual([]);
    for (const { attributes, kind, hasFailed, durationNs } of spans.filter(({ name }) => name === 'deliver')) {
      expect({ kind, hasFailed }).toEqual({ kind: 'consumer', hasFailed: false });
      expect(durationNs).toBeGreaterThanOrEqual(0n);
      expect(attributes).toEqual({
        'hubbub.recipients': 1,
        'hubbub.body_bytes': expect.any(Number),
        'hubbub.lag_ms': expect.any(Number),
      });
    }
    // Rooms and users are personal data: neither a path nor a name is in a span.
    expect(JSON.stringify(spans.map(({ attributes, name }) => ({ attributes, name })))).not.toMatch(
      /general|alice|bob/,
    );
  });

  test('nothing is recorded if the caller has decided against it', async () => {
    const { traceId, traceparent } = newTrace();
    const declined = traceparent.replace(/01$/, '00');
    await api.post('/rooms/general/messages', { type: 'declined' }, { traceparent: declined });
    await story.bob.nextFrame('declined');
    await expectTracesSince(story, traceId, []);
  });

  test('a malformed traceparent is ignored: the ratio decides', async () => {
    const quiet = await startTracedApi(story, '0');
    const { status } = await quiet.post('/rooms/general/messages', { type: 'strange' }, { traceparent: '00-zz' });
    expect(status).toBe(200);
    await story.bob.nextFrame('strange');
    const plain = JSON.stringify({ type: 'stranger', traceparent: 'x' });
    await story.cluster.redis.cli('PUBLISH', `${story.cluster.redis.prefix}:room:{general}`, plain);
    await story.bob.nextFrame('stranger');
    await expectTracesSince(story, '', []);
  });

  test('plain JSON continues the trace that it names', async () => {
    const { traceId, traceparent } = newTrace();
    const message = JSON.stringify({ type: 'build.started', traceparent });
    await story.cluster.redis.cli('PUBLISH', `${story.cluster.redis.prefix}:room:{general}`, message);
    expect(await story.bob.nextFrame('build.started')).not.toHaveProperty('traceparent');
    expect(await shapeOf(story, traceId, 2)).toEqual([
      `${PARENT_ID} > deliver (edge-1)`,
      `${PARENT_ID} > deliver (edge-2)`,
    ]);
  });

  test('a service with the SDK passes its current span on; one that fails to name it loses no message', async () => {
    const { traceId, traceparent } = newTrace();
    let current = (): string | undefined => traceparent;
    const { redis } = story.cluster;
    const hubbub = connectHubbub({ redisUrl: redis.url, redisPrefix: redis.prefix, traceparent: () => current() });
    cleanup(() => hubbub.close());
    await hubbub.publishToRoom('general', { type: 'build.queued' });
    await story.bob.nextFrame('build.queued');
    expect(await shapeOf(story, traceId, 2)).toEqual([
      `${PARENT_ID} > deliver (edge-1)`,
      `${PARENT_ID} > deliver (edge-2)`,
    ]);
    const own = newTrace();
    await hubbub.publishToRoom('general', { type: 'build.named', traceparent: own.traceparent });
    expect(await shapeOf(story, own.traceId, 2)).toHaveLength(2);
    current = () => {
      throw new Error('no tracer');
    };
    await hubbub.publishToRoom('general', { type: 'build.untraced' });
    await story.bob.nextFrame('build.untraced');
    expect(() => connectHubbub({ redisUrl: redis.url, traceparent: 'x' as never })).toThrow(/traceparent: expected/);
  });

  /** Publishes one more message that is traced: earlier spans have then arrived, too. */
  async function expectTracesSince(story: Story, unwanted: string, expected: readonly string[]): Promise<void> {
    const known = new Set(story.collector.spans.map(({ traceId }) => traceId));
    const last = newTrace();
    await api.post('/rooms/general/messages', { type: 'last' }, { traceparent: last.traceparent });
    await shapeOf(story, last.traceId, 4);
    const since = new Set(story.collector.spans.map(({ traceId }) => traceId).filter(id => !known.has(id)));
    expect([...since].filter(id => id !== last.traceId)).toEqual(expected);
    expect(known.has(unwanted)).toBe(false);
  }
});

describe('of a message that a client sends', () => {
  let story: Story;

  beforeAll(async () => {
    story = await startStory({ HUBBUB_TRACE_RATIO: '1', HUBBUB_TRACE_PERSONAL_DATA: 'true' });
  });

  test.for(['general', 'log:1'])('the trace ends at the members of %s', async room => {
    const known = story.collector.spans.length;
    story.alice.send({ type: 'send_message', room, payload: { content: 'hi' } });
    await story.bob.nextFrame({ type: 'new_message', room });
    const root = () => story.collector.spans.slice(known).find(({ name }) => name === 'send_message');
    await eventually(() => root() !== undefined, { withinMs: 20_000 });
    expect(await shapeOf(story, String(root()?.traceId), 4)).toEqual([
      'nothing > send_message (edge-1)',
      'publish > deliver (edge-1)',
      'publish > deliver (edge-2)',
      'send_message > publish (edge-1)',
    ]);
    // This operator allows it.
    expect(root()?.attributes).toMatchObject({ 'hubbub.room': room, 'user.id': 'alice' });
  });
});

describe('of a join and of a client event', () => {
  let story: Story;

  beforeAll(async () => {
    story = await startStory({
      HUBBUB_TRACE_RATIO: '1',
      HUBBUB_TRACE_PERSONAL_DATA: 'true',
      HUBBUB_LOG_LEVEL: 'debug',
    });
  });

  test('a join is one span, and its log line has the ids', async () => {
    const joins = () => story.collector.spans.filter(({ name }) => name === 'join');
    await eventually(() => joins().length >= 4, { withinMs: 20_000 });
    const span = joins().find(({ attributes }) => attributes['user.id'] === 'alice' && attributes['hubbub.history']);
    expect(span).toMatchObject({
      ...{ kind: 'server', parentId: '', node: 'edge-1', hasFailed: false },
      attributes: { 'hubbub.room': 'log:1' },
    });
    const lines = story.cluster.edge(0).process.output.lines.filter(line => line.includes('"room_joined"'));
    expect(lines.join('\n')).toContain(`"trace_id":"${span?.traceId}","span_id":"${span?.spanId}"`);
  });

  test('an event brings its trace to the service, which continues it', async () => {
    const { redis } = story.cluster;
    const hubbub = connectHubbub({ redisUrl: redis.url, redisPrefix: redis.prefix });
    cleanup(() => hubbub.close());
    hubbub.onEvents('game', { group: 'referee' }, async ({ traceparent, ...event }) => {
      await hubbub.publishToRoom('general', { type: 'move.made', ...(traceparent !== undefined && { traceparent }) });
      await event.reply({ type: 'move.seen' });
    });
    await story.alice.join('game:1');
    story.alice.send({ type: 'move', room: 'game:1', payload: {} });
    await story.bob.nextFrame('move.made');
    expect(await story.alice.nextFrame('move.seen')).not.toHaveProperty('traceparent');
    const root = () => story.collector.spans.find(({ name }) => name === 'client_event');
    await eventually(() => root() !== undefined, { withinMs: 20_000 });
    expect(await shapeOf(story, String(root()?.traceId), 3)).toEqual([
      'client_event > deliver (edge-1)',
      'client_event > deliver (edge-2)',
      'nothing > client_event (edge-1)',
    ]);
    expect(root()?.attributes).toMatchObject({ 'hubbub.room': 'game:1', 'user.id': 'alice', 'hubbub.repeated': false });
  });
});

async function sendOneMessage(env: Environment): Promise<TestCluster> {
  const hub = await startEmbedded({ env });
  const alice = await connect(hub.edge(0).wsUrl, { token: hub.token({ user: 'alice' }) });
  await alice.join('general');
  alice.send({ type: 'send_message', room: 'general', id: 'm1', payload: {} });
  await alice.nextFrame('ack');
  return hub;
}

test('the standard variables of OpenTelemetry turn tracing on', async () => {
  const collector = await startCollector();
  await sendOneMessage({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20secret',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_TRACES_SAMPLER: 'always_on',
    OTEL_SERVICE_NAME: 'relay',
  });
  await eventually(() => collector.spans.length >= 2, { withinMs: 20_000 });
  expect(collector.spans[0]).toMatchObject({ service: 'relay', node: 'embedded' });
  expect(collector.headers[0]).toMatchObject({ authorization: 'Bearer secret', 'content-encoding': 'gzip' });
});

test('a process that stops sends its last spans', async () => {
  const collector = await startCollector();
  const hub = await sendOneMessage({ HUBBUB_OTLP_URL: collector.url, HUBBUB_TRACE_RATIO: '1' });
  await hub.edge(0).process.terminate();
  expect(collector.spans.map(({ name }) => name).sort()).toEqual(['deliver', 'join', 'publish', 'send_message']);
});

test('a collector that fails costs no message: the process counts and logs', async () => {
  const collector = await startCollector({ status: 400 });
  const hub = await sendOneMessage({ HUBBUB_OTLP_URL: collector.url, HUBBUB_TRACE_RATIO: '1' });
  const failed = () => metricValue(hub.edge(0), 'hubbub_trace_spans_total{result="failed"}');
  await eventually(async () => (await failed()) >= 2, { withinMs: 20_000 });
  expect(hub.edge(0).process.output.lines.join('\n')).toContain('spans_not_exported');
});
