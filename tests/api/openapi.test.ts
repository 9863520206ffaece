/** The API's description: valid by the schema of OpenAPI, and equal to the behavior of each route, in both directions. */

import { API_OPERATIONS } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { type Answer, API_KEY, type ApiProcess, type Asking, PRESENCE_KEY, startApi } from './api-process.js';

interface Operation {
  readonly operationId: string;
  readonly parameters?: ReadonlyArray<{
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: object;
  }>;
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content: Content; readonly headers?: object }>>;
  readonly security?: readonly object[];
}
type Content = { readonly 'application/json': { readonly schema: object } };
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

interface Described {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** The path with its parameters filled in. */
  readonly path: string;
  readonly operation: Operation;
}

const MESSAGE = { type: 'said', payload: { n: 1 } };
const UNTIL = new Date(Date.now() + 3_600_000).toISOString();
/** A valid body for each operation that takes one. */
const BODIES: Readonly<Record<string, unknown>> = {
  publishToRoom: MESSAGE,
  publishToUser: MESSAGE,
  publish: { all: true, ...MESSAGE },
  publishBatch: { messages: [{ room_id: 'chat:1', ...MESSAGE }, { all: true, ...MESSAGE }, { type: 'to.nobody' }] },
  moveSessions: { percent: 10 },
  closeRoom: { reason: 'over' },
  removeFromRoom: { reason: 'over' },
  disconnectUser: {},
  blockUser: { until: UNTIL },
  blockUserById: { user_id: 'u1', until: UNTIL },
  revokeTokens: { jti: '7f3c9a' },
  revokeTokensById: { user_id: 'u1', jti: '7f3c9a' },
  mintSessionToken: { name: 'One', rooms: { 'chat:*': ['join'] } },
  mintRoomToken: { user_id: 'u1', rights: ['join'] },
  closeRoomById: { room_id: 'chat:1', reason: 'over' },
  publishToSession: { node: 'edge-1', room_id: 'chat:1', type: 'said' },
  publishToSessionById: { session_id: 's.1', node: 'edge-1', type: 'said' },
  removeFromRoomById: { room_id: 'chat:1', user_id: 'u1' },
  disconnectUserById: { user_id: 'u1' },
  mintSessionTokenById: { user_id: 'u1', name: 'One' },
  mintRoomTokenById: { room_id: 'chat:1', user_id: 'u1', rights: ['join'] },
};
/**
 * Endless, about one letter, or open to every key: tests/console has their stories. One moves the sessions of this one:
 * tests/drain has its story.
 */
const APART = [
  'tailRoom',
  'tailRoomById',
  'replayDeadLetter',
  'replayLifecycleDeadLetter',
  'describeKey',
  'moveSessions',
];
/** Open to keys of any namespace; a batch checks each message. */
const OPEN = ['describe', 'describeKey', 'countOnline', 'publishBatch'];
/** An internal error, which no request is known to cause. */
const NOT_PROVOKED = ['500'];

const ajv = new Ajv2020({ strict: false });
const validators = new Map<object, ValidateFunction>();
let cluster: TestCluster;
let api: ApiProcess;
let description: { readonly paths: Paths };
let all: readonly Described[];
let operations: readonly Described[];

beforeAll(async () => {
  const chat = { public: true, historySize: 100, historyTtlMs: 600_000 };
  cluster = await startCluster({
    edges: 1,
    env: { HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY, ...withNamespaces({ default: { public: true }, chat }) },
  });
  api = await startApi(cluster, { env: { HUBBUB_API_TOKENS: 'true', HUBBUB_API_REQUEST_TIMEOUT_MS: '1000' } });
  const client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'stays' }) });
  await client.join('chat:1');
  await eventually(async () => (await api.get('/rooms/chat:1/roster')).body.count === 1);
  await api.post('/rooms/chat:1/messages', MESSAGE);

  const validator = new Validator();
  const result = await validator.validate((await api.ask('GET', '/openapi.json', { key: null })).body);
  expect(result.errors, 'the schema of OpenAPI').toBeUndefined();
  expect(result.valid).toBe(true);
  expect(validator.version).toBe('3.1');
  description = validator.resolveRefs() as typeof description;
  all = Object.entries(description.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase() as Described['method'],
      path: withQuery(
        template
          .replace('{room_id}', 'chat:1')
          .replace('{user_id}', 'u1')
          .replace('{namespace}', 'default')
          .replace('{group}', 'referee')
          .replace('{letter_id}', '1-0'),
        (operation.parameters ?? []).filter(({ in: place, required }) => place === 'query' && required),
      ),
      operation,
    })),
  );
  operations = all.filter(({ operation }) => !APART.includes(operation.operationId));
});

/** The path with a value for each parameter. */
function withQuery(path: string, parameters: ReadonlyArray<{ readonly name: string }>): string {
  return parameters.reduce((url, { name }) => also(url, `${name}=${name === 'room_id' ? 'chat:1' : 'u1'}`), path);
}

function also(url: string, parameter: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${parameter}`;
}

/** The reason why the value does not match the schema in the description, or undefined. */
function problemsOf(schema: object, value: unknown): string | undefined {
  const validate = validators.get(schema) ?? ajv.compile(schema);
  validators.set(schema, validate);
  return validate(value) ? undefined : ajv.errorsText(validate.errors);
}

function expectAsDescribed({ operation }: Described, { status, headers, body }: Answer): void {
  const described = operation.responses[status];
  if (described === undefined) throw new Error(`${operation.operationId} answers ${status}, which is not described`);
  expect(
    problemsOf(described.content['application/json'].schema, body),
    `${operation.operationId} ${status}`,
  ).toBeUndefined();
  expect(headers.has('retry-after')).toBe(described.headers !== undefined);
}

function ask({ method, path, operation }: Described, asking: Asking = {}, of = api): Promise<Answer> {
  const body = method === 'POST' ? (BODIES[operation.operationId] ?? {}) : undefined;
  return of.ask(method, path, body === undefined ? { ...asking, body } : { body, ...asking });
}

test('names every existing path, and no other', async () => {
  const { body } = await api.get('/nowhere');
  const described = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
  );
  expect(described.sort()).toEqual(body.routes);
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a key of another namespace gets 403 from every operation that is not open', async () => {
  const key = 'a-key-of-another-namespace-than-chat';
  const keys = [{ name: 'other', key, namespaces: ['other'], operations: API_OPERATIONS }];
  const ofOther = await startApi(cluster, { keys, name: 'api-2', env: { HUBBUB_API_TOKENS: 'true' } });
  for (const described of all) {
    const { operationId } = described.operation;
    if (OPEN.includes(operationId)) continue;
    const { status, body } = await ask(described, { key }, ofOther);
    expect([operationId, status]).toEqual([operationId, 403]);
    expect(Object(body.details).missing_namespace, operationId).toMatch(/^(chat|\*)$/);
  }
});

test('every operation accepts and answers as described', async () => {
  for (const described of operations) {
    const { method, operation } = described;
    expect(operation.requestBody !== undefined, operation.operationId).toBe(method === 'POST');
    if (operation.requestBody !== undefined) {
      const { required, content } = operation.requestBody;
      // Both the description and the route refuse the third of the batch, and accept the others.
      const problems = problemsOf(content['application/json'].schema, BODIES[operation.operationId]);
      expect(problems, operation.operationId).toBeUndefined();
      expect(problemsOf(content['application/json'].schema, { unknown: 1 }), operation.operationId).toBeDefined();
      const without = await api.ask('POST', described.path, { headers: { 'content-type': 'application/json' } });
      expect(without.status, operation.operationId).toBe(required ? 400 : 200);
    }
    const answer = await ask(described);
    expect(answer.status, operation.operationId).toBe(200);
    expectAsDescribed(described, answer);
  }
});

test('every query parameter is accepted as described', async () => {
  const queries: Readonly<Record<string, readonly string[]>> = {
    since: ['0', '7'],
    before: ['7'],
    limit: ['1', '1000'],
    cursor: ['0.0'],
    jti: ['7f3c9a'],
    prefix: ['chat:'],
    min_count: ['0', '7'],
  };
  for (const described of operations) {
    for (const { name, schema } of (described.operation.parameters ?? []).filter(
      parameter => parameter.in === 'query' && !parameter.required,
    )) {
      for (const value of queries[name] ?? []) {
        const asValue = ['cursor', 'jti', 'prefix'].includes(name) ? value : Number(value);
        expect(problemsOf(schema, asValue), `${described.operation.operationId} ${name}`).toBeUndefined();
        const answer = await api.ask(described.method, also(described.path, `${name}=${value}`));
        expect(answer.status, `${described.operation.operationId} ${name}=${value}`).toBe(200);
      }
      expect(queries, `a value to try for ${name}`).toHaveProperty(name);
    }
  }
});

describe('every described refusal occurs, and matches its description', () => {
  const provoked = new Map<string, Set<string>>();

  /** Requests every operation: exactly those that describe the status answer with it. */
  async function provoke(status: number, work: (described: Described) => Promise<Answer>): Promise<void> {
    await Promise.all(
      operations.map(async described => {
        const { operationId, responses } = described.operation;
        const answer = await work(described);
        expect(answer.status === status, `${operationId} answers ${answer.status}`).toBe(
          responses[status] !== undefined,
        );
        expectAsDescribed(described, answer);
        provoked.set(operationId, (provoked.get(operationId) ?? new Set()).add(String(answer.status)));
      }),
    );
    expect([...provoked.values()].some(statuses => statuses.has(String(status)))).toBe(true);
  }

  /** The status line and body of an answer in text form. */
  function parsed(text: string): Answer {
    const [head = '', body = ''] = text.split('\r\n\r\n');
    return { status: Number(head.split(' ')[1]), headers: new Headers(), body: JSON.parse(body) };
  }

  test('400', () =>
    provoke(400, ({ method, path }) =>
      api.ask(method, also(path, 'unknown=1'), method === 'POST' ? { body: {} } : {}),
    ));
  test('401', () => provoke(401, described => ask(described, { key: 'wrong' })));
  test('403', async () => {
    const without = await startApi(cluster, { keys: [{ name: 'narrow', key: API_KEY, operations: ['dead_letters'] }] });
    await provoke(403, described => ask(described, {}, without));
  });
  test(
    '408',
    () =>
      provoke(408, async ({ method, path }) =>
        parsed(await api.exchange(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\n`)),
      ),
    60_000,
  );
  test('409', async () => {
    await provoke(409, async described => {
      const headers = { 'idempotency-key': `for-${described.operation.operationId}` };
      await api.post('/rooms/another/messages', { type: 'another' }, headers);
      return await ask(described, { headers });
    });
  });
  test('413', async () => {
    const small = await startApi(cluster, { env: { HUBBUB_API_MAX_BODY_BYTES: '1024' } });
    await provoke(413, described => ask(described, { body: { padding: 'x'.repeat(2000) } }, small));
  });
  test('415', () => provoke(415, described => ask(described, { headers: { 'content-type': 'text/plain' } })));
  test('429', async () => {
    const full = await startApi(cluster, {
      env: { HUBBUB_API_MAX_REQUESTS: '1', HUBBUB_API_REQUEST_TIMEOUT_MS: '60000' },
    });
    full.occupy();
    await eventually(async () => (await full.metric('hubbub_api_requests_under_way')) === 1);
    await provoke(429, described => ask(described, {}, full));
  });
  test('431', () => provoke(431, described => ask(described, { headers: { 'x-large': 'x'.repeat(5000) } })));
  test('503', async () => {
    const env = {
      HUBBUB_REDIS_URL: 'redis://127.0.0.1:1',
      HUBBUB_PRESENCE_URL: 'http://127.0.0.1:1',
      HUBBUB_API_TOKENS: 'true',
    };
    const lost = await startApi(cluster, { env, readyWhen: async () => {} });
    await provoke(503, described => ask(described, {}, lost));
  });

  test('no described status was skipped', () => {
    for (const { operation } of operations) {
      const described = Object.keys(operation.responses).filter(status => !NOT_PROVOKED.includes(status));
      const seen = [...(provoked.get(operation.operationId) ?? []), '200'];
      expect([...new Set(seen)].sort(), operation.operationId).toEqual(described.sort());
    }
  });
});

test('the described key grants access', async () => {
  for (const { method, path, operation } of operations) {
    const isOpen = operation.security?.length === 0;
    const body = method === 'POST' ? {} : undefined;
    expect(
      (await api.ask(method, path, { key: null, ...(body && { body }) })).status === 401,
      operation.operationId,
    ).toBe(!isOpen);
    expect((await api.ask(method, path, { key: API_KEY, ...(body && { body }) })).status).not.toBe(401);
  }
});
