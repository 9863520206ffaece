/** Routes with zod schemas, which need an API key, and `GET /openapi.json`, which describes them. */
import { Readable } from 'node:stream';
import { type ApiOperation, type ErrorCode, HubbubError } from '@hubbub/protocol';
import type { FastifyRequest, FastifySchemaCompiler } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { SpanLogFields } from '../tracing.js';
import { type ApiKey, createKeyCheck, KeyRates, requireNamespace, requireOperation } from './api-key.js';
import { type AuditEntry, auditEntry } from './audit.js';
import { type HttpServer, singleHeader } from './http-server.js';

export interface DescribedRoutesOptions {
  readonly title: string;
  readonly description: string;
  /** Empty: every request is answered 401. */
  readonly apiKeys: readonly ApiKey[];
  /** The setting that holds the keys. */
  readonly apiKeysSetting: string;
  /** Gets each request of a known key to a route that changes something, with the ids of its span if it is traced. */
  readonly audit?: (entry: AuditEntry, spanFields: SpanLogFields | undefined) => void;
  /** Counts a request above the rate of its key. */
  readonly onKeyLimited?: () => void;
  /** The error codes of single fields; others get `INVALID_FORMAT`. */
  readonly fieldCodes: Readonly<Record<string, ErrorCode>>;
  readonly routes: readonly Route[];
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Of every request to a route that needs one. */
    apiKey: ApiKey | undefined;
  }
  interface FastifyContextConfig {
    readonly operation?: ApiOperation;
    readonly operationId?: string;
  }
}

/** Operations that change nothing. */
const READING: readonly ApiOperation[] = ['read', 'explain'];

/**
 * The namespaces that a key needs for a route. `room`: that of `room_id`, or all where the request has no `room_id`.
 * `open`: none, or the handler checks them.
 */
export type RouteScope = 'room' | 'open';

export interface Route<Takes extends z.ZodObject = z.ZodObject> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** The operation that a key needs; `undefined`: every key may use the route. */
  readonly operation: ApiOperation | undefined;
  /** Default: `room`. */
  readonly scope?: RouteScope;
  /** As OpenAPI writes it: `/rooms/{room_id}/roster`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** Parameters of the path, and fields of the query (GET) or of the body (POST). */
  readonly takes?: Takes;
  /** Headers that the route reads; they are described, not checked. */
  readonly headers?: z.ZodObject;
  readonly answer: z.ZodType;
  /** Error statuses that the description lists. */
  readonly failures: readonly Failure[];
  /** @throws {HubbubError} */
  handle(input: z.output<Takes>, request: FastifyRequest): Promise<unknown>;
}

/** For `answer`: the handler returns a stream of server-sent events (WHATWG HTML section 9.2). */
export const eventStream: z.ZodType<Readable> = z
  .custom<Readable>(value => value instanceof Readable)
  .meta({ type: 'string', description: 'Server-sent events.' });

/** A route whose handler gets what its schema makes of the request. */
export function route<Takes extends z.ZodObject, Answer extends z.ZodType>(
  definition: Omit<Route<Takes>, 'answer' | 'handle'> & {
    readonly answer: Answer;
    handle(input: z.output<Takes>, request: FastifyRequest): Promise<z.input<Answer>>;
  },
): Route {
  return definition as unknown as Route;
}

const errorAnswer = z.strictObject({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional().describe('Facts of the message, such as `missing_operation`.'),
});
const failure = (description: string, headers?: object) =>
  errorAnswer.meta({ description, ...(headers !== undefined && { headers }) });
const retryAfter = { 'Retry-After': { type: 'integer', minimum: 1, description: 'Seconds.' } };

const FAILURES = {
  400: failure('The request is wrong; the message names the field.'),
  401: failure('The API key is missing or wrong.'),
  403: failure('The API key lacks the operation or the namespace in `details`, or a setting forbids it.'),
  408: failure('The request did not arrive completely in time; nothing was done.'),
  409: failure('The idempotency key was used for another request.'),
  413: failure('The body or a message is too large, or there are too many messages.'),
  415: failure('The body does not have the type application/json.'),
  429: failure('Too many requests are in flight, or the API key has too many; nothing was done.', retryAfter),
  431: failure('The headers are too large.'),
  500: failure('A defect of the server. The outcome is unknown.'),
  503: failure(
    'Redis or presence does not answer. The outcome is unknown; with an idempotency key a retry is safe.',
    retryAfter,
  ),
} as const;
export type Failure = keyof typeof FAILURES;

/** For {@link HttpServer.register}: the routes, and their description at `/openapi.json`, which needs no key. */
export function describedRoutes(options: DescribedRoutesOptions): (server: HttpServer) => Promise<void> {
  const { title, description, apiKeysSetting, fieldCodes, routes } = options;
  return async server => {
    await server.register(import('@fastify/swagger'), {
      openapi: {
        openapi: '3.1.0',
        info: { title, version: '1', description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
        servers: [{ url: '/' }],
        security: [{ apiKey: [] }],
        components: {
          securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: `One of ${apiKeysSetting}.` } },
        },
      },
      convertConstToEnum: false,
      transform: jsonSchemaTransform,
      transformObject: document => withOptionalBodies(Object(document).openapiObject),
    });
    server.setValidatorCompiler(validatorOf(fieldCodes));
    authorizeRequests(server, options);
    auditRequests(server, options);
    server.get(
      '/openapi.json',
      {
        config: { isOpen: true },
        schema: {
          operationId: 'describe',
          summary: 'This description',
          security: [],
          response: responses(z.looseObject({}).describe('OpenAPI 3.1.'), [408, 429, 431, 500]),
        },
      },
      async () => server.swagger(),
    );
    for (const definition of routes) addRoute(server, definition);
  };
}

/** Before a byte of the body is read. */
function authorizeRequests(
  server: HttpServer,
  { apiKeys, apiKeysSetting, onKeyLimited }: DescribedRoutesOptions,
): void {
  const findKey = createKeyCheck(apiKeys);
  const rates = new KeyRates();
  server.decorateRequest('apiKey', undefined);
  server.addHook('onRequest', async request => {
    const { isOpen, operation } = request.routeOptions.config;
    if (isOpen) return;
    const key = findKey(singleHeader(request, 'authorization'));
    if (key === undefined) {
      throw new HubbubError(
        'UNAUTHORIZED',
        apiKeys.length === 0
          ? `${apiKeysSetting} is not set: this interface is closed.`
          : 'Authorization: Bearer <API key> is missing or wrong.',
      );
    }
    try {
      rates.take(key);
    } catch (error) {
      onKeyLimited?.();
      throw error;
    }
    request.apiKey = key;
    if (operation !== undefined) requireOperation(key, operation);
  });
}

/** Requests above the rate of their key have no entry: a program that does not stop would fill the log. */
function auditRequests(server: HttpServer, { audit }: DescribedRoutesOptions): void {
  if (audit === undefined) return;
  const errors = new WeakMap<FastifyRequest, unknown>();
  server.addHook('onError', async (request, _reply, error) => {
    errors.set(request, error);
  });
  server.addHook('onResponse', async request => {
    const { operation, operationId = '' } = request.routeOptions.config;
    if (request.apiKey === undefined || operation === undefined || READING.includes(operation)) return;
    audit(auditEntry(request.apiKey.name, operationId, request, errors.get(request)), request.span?.logFields);
  });
}

const NO_QUERY = z.strictObject({});

function addRoute(server: HttpServer, definition: Route): void {
  const { method, path, takes = NO_QUERY, operation, scope = 'room', handle } = definition;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const fields = (areInPath: boolean) => {
    const entries = Object.entries(takes.shape).filter(([name]) => names.includes(name) === areInPath);
    return z.strictObject(Object.fromEntries(entries));
  };
  const rest = names.length === 0 ? takes : fields(false);
  const body = rest.safeParse({}).success ? rest.prefault({}) : rest;
  const { operationId, summary, description = '', headers, answer, failures } = definition;
  server.route({
    method,
    url: path.replace(/\{(\w+)\}/g, ':$1'),
    config: { ...(operation !== undefined && { operation }), operationId },
    schema: {
      operationId,
      summary,
      ...(description !== '' && { description }),
      ...(names.length > 0 && { params: fields(true) }),
      ...(method === 'POST' ? { querystring: NO_QUERY, body } : { querystring: rest }),
      ...(headers !== undefined && { headers }),
      response: responses(answer, failures),
    },
    handler: async (request, reply) => {
      const input = { ...Object(request.params), ...Object(request.query), ...Object(request.body) };
      if (scope === 'room' && request.apiKey !== undefined) requireNamespace(request.apiKey, input.room_id);
      const answered = await handle(input, request);
      return answered instanceof Readable ? reply.type('text/event-stream').send(answered) : answered;
    },
  });
}

function responses(answer: z.ZodType, failures: readonly Failure[]): Record<number, z.ZodType> {
  return { 200: answer, ...Object.fromEntries(failures.map(status => [status, FAILURES[status]])) };
}

const PARTS: Readonly<Record<string, string>> = { body: 'the body', querystring: 'the query', params: 'the path' };

function validatorOf(codes: Readonly<Record<string, ErrorCode>>): FastifySchemaCompiler<z.ZodType> {
  return ({ schema, httpPart = '' }) =>
    value => {
      const whole = PARTS[httpPart];
      if (whole === undefined) return { value };
      try {
        // Fastify passes null for a body that is missing.
        return { value: parse(schema, value ?? undefined, whole, codes) };
      } catch (error) {
        return { error: error as Error };
      }
    };
}

/**
 * Returns the value as the schema reads it.
 * @param whole the name of the value, where no field of it is wrong
 * @throws {HubbubError} with the code of the field; the message names it.
 */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  whole: string,
  codes: Readonly<Record<string, ErrorCode>>,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') || whole;
  throw new HubbubError(codes[String(issue?.path[0])] ?? 'INVALID_FORMAT', `${field}: ${issue?.message}`);
}

interface OpenApiDocument {
  readonly paths?: Readonly<Record<string, object>>;
}

/** A body without required fields may be missing; the library describes every body as required. */
function withOptionalBodies(document: OpenApiDocument): OpenApiDocument {
  for (const operation of Object.values(document.paths ?? {}).flatMap(item => Object.values(item))) {
    const body = operation.requestBody;
    if (body !== undefined) body.required = body.content['application/json'].schema.required !== undefined;
  }
  return document;
}
