/** A route: its parameters and body, its answers, its description, its handler. */
import type { Backplane } from '@hubbub/broker';
import type { PresenceQueries, TokenMint } from '@hubbub/server';
import { z } from 'zod';
import { keyOf } from '../idempotency.js';
import type { ApiMetrics } from '../metrics.js';
import type { Publishing } from '../publishing.js';
import { parse } from './fields.js';

/** The parts that routes use. */
export interface RouteParts {
  readonly bus: Pick<Backplane, 'history' | 'namespaces' | 'online'>;
  /** Undefined where this process has nobody to ask. */
  readonly presence: PresenceQueries | undefined;
  readonly publishing: Publishing;
  /** Undefined where this process mints no tokens. */
  readonly mint: TokenMint | undefined;
  readonly metrics: ApiMetrics;
}

/** As it comes in, not yet checked. */
export interface RawRequest {
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: unknown;
  readonly body: unknown;
  /** The header Idempotency-Key. */
  readonly keyHeader: string | undefined;
}

interface CheckedRequest<Query, Body> {
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** Of header or body. */
  readonly key: string | undefined;
}

interface Description {
  readonly method: 'GET' | 'POST';
  /** OpenAPI's form; a parameter is one path segment. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** Whether it may be repeated under a key. */
  readonly takesKey: boolean;
  /** Refusals beside those of every route. */
  readonly refusals?: readonly 403[];
  /** Whether Redis or presence has to answer. Default true. */
  readonly asksOthers?: boolean;
  /** Takes no body too. */
  readonly bodyOptional?: boolean;
}

export interface Route extends Description {
  readonly query: z.ZodObject;
  /** The schema of the body; absent for GET. */
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType;
  /** @throws {HubbubError} */
  handle(parts: RouteParts, request: RawRequest): Promise<unknown>;
}

interface Definition<Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType>
  extends Partial<Description> {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly query?: Query;
  readonly body?: Body;
  /** Described instead of `body`, where the route checks the parts of it by itself. */
  readonly describedBody?: z.ZodType;
  readonly answer: Answer;
  handle(parts: RouteParts, request: CheckedRequest<z.infer<Query>, z.infer<Body>>): Promise<z.infer<Answer>>;
}

const NOTHING = z.strictObject({});

/** A route whose handler gets what the schemas made of the request. */
export function route<
  Answer extends z.ZodType,
  Query extends z.ZodObject = typeof NOTHING,
  Body extends z.ZodType = z.ZodUndefined,
>(definition: Definition<Query, Body, Answer>): Route {
  const { query = NOTHING, body, describedBody = body, handle, ...description } = definition;
  return {
    takesKey: false,
    ...description,
    query,
    body: describedBody,
    async handle(parts, { parameters, keyHeader, ...raw }) {
      const checkedBody = body && parse(body, raw.body ?? (definition.bodyOptional ? {} : undefined), 'the body');
      const key = definition.takesKey ? keyOf(keyHeader, keyInBody(checkedBody)) : undefined;
      return await handle(parts, {
        parameters,
        query: parse(query, raw.query, 'the query') as z.infer<Query>,
        body: checkedBody as z.infer<Body>,
        key,
      });
    },
  };
}

function keyInBody(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('idempotency_key' in body)) return undefined;
  return typeof body.idempotency_key === 'string' ? body.idempotency_key : undefined;
}

/** Template of a route with its method: its label in metrics, its line in lists. */
export function nameOf({ method, path }: Pick<Route, 'method' | 'path'>): string {
  return `${method} ${path}`;
}
