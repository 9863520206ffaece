/** The OpenAPI 3.1 description, made from the routes and schemas that answer. */
import { z } from 'zod';
import { KEY_MAX_LENGTH, KEY_PATTERN } from '../idempotency.js';
import { roomId, userId } from './fields.js';
import type { Route } from './route.js';

const PARAMETERS: Readonly<Record<string, z.ZodType>> = { room_id: roomId, user_id: userId };

const errorSchema = z.strictObject({ code: z.string(), message: z.string() });

const FAILURES: Readonly<Record<number, string>> = {
  400: 'Something in the request is wrong; the message names it.',
  401: 'The API key is missing or wrong.',
  403: 'This process does not allow the request; the message names the setting that does.',
  408: 'The request did not come in whole in time; nothing was done.',
  409: 'The idempotency key was used for another request.',
  413: 'The body, or one message, is too large, or there are too many of them.',
  415: 'The body is not called application/json.',
  429: 'Too many requests are in flight; nothing was done.',
  431: 'The headers are too large.',
  500: 'A defect of the API; it is not known whether anything was done.',
  503: 'Redis or presence does not answer. It is not known whether anything was done: with an idempotency key a retry doubles nothing.',
};
const ALWAYS = [400, 401, 408, 429, 431, 500];
const WITH_BODY = [413, 415];
const WITH_RETRY_AFTER = [429, 503];

export function openApiDescription(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hubbub',
      version: '1',
      description:
        'For back ends that have no Redis access: messages to rooms, users and all, controls, histories, rosters, tokens.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }],
    paths: { ...paths, '/openapi.json': { get: DESCRIPTION_OF_ITSELF } },
    components: {
      schemas: { Error: jsonSchema(errorSchema, 'output') },
      responses: Object.fromEntries(
        Object.entries(FAILURES).map(([status, description]) => [nameOf(status), failure(status, description)]),
      ),
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'One of HUBBUB_API_KEYS.' } },
    },
  };
}

/** Statuses that the route may answer with, beside 200. */
function failuresOf({ method, takesKey, refusals = [], asksOthers = true }: Route): number[] {
  return [
    ...ALWAYS,
    ...(method === 'POST' ? WITH_BODY : []),
    ...(takesKey ? [409] : []),
    ...refusals,
    ...(asksOthers ? [503] : []),
  ].sort();
}

function operation(route: Route): object {
  const { path, operationId, summary, description, query, body, answer, takesKey, bodyOptional = false } = route;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) =>
    parameter(name, 'path', true, PARAMETERS[name] ?? z.string()),
  );
  const inQuery = Object.entries(query.shape).map(([name, schema]) =>
    parameter(name, 'query', !(schema as z.ZodType).safeParse(undefined).success, schema as z.ZodType),
  );
  return {
    operationId,
    summary,
    ...(description !== undefined && { description }),
    parameters: [...inPath, ...inQuery, ...(takesKey ? [KEY_PARAMETER] : [])],
    ...(body !== undefined && {
      requestBody: { required: !bodyOptional, content: { 'application/json': { schema: jsonSchema(body, 'input') } } },
    }),
    responses: {
      200: {
        description: takesKey ? 'Redis has taken it.' : 'As asked for.',
        content: { 'application/json': { schema: jsonSchema(answer, 'output') } },
      },
      ...failures(failuresOf(route)),
    },
  };
}

const KEY_PARAMETER = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'For five minutes a request with the same key, to whichever process, does nothing more and has the same outcome. With other content it is refused (409). Bare, or in quotes as a structured field.',
  schema: { type: 'string', minLength: 1, maxLength: KEY_MAX_LENGTH, pattern: KEY_PATTERN.source },
};

const DESCRIPTION_OF_ITSELF = {
  operationId: 'describe',
  summary: 'This description',
  security: [],
  responses: {
    200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
    ...failures([408, 429, 431, 500]),
  },
};

function failures(statuses: readonly number[]): object {
  return Object.fromEntries(statuses.map(status => [status, { $ref: `#/components/responses/${nameOf(status)}` }]));
}

function parameter(name: string, place: 'path' | 'query', required: boolean, zodSchema: z.ZodType): object {
  const { description, ...schema } = jsonSchema(zodSchema, 'input');
  return { name, in: place, required, ...(description !== undefined && { description }), schema };
}

function nameOf(status: number | string): string {
  return `Status${status}`;
}

function failure(status: string, description: string): object {
  const retryAfter = { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } } };
  return {
    description,
    ...(WITH_RETRY_AFTER.includes(Number(status)) && { headers: retryAfter }),
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  };
}

/** OpenAPI 3.1 takes JSON Schema 2020-12 as it is. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return json;
}
