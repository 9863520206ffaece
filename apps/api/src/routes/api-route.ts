/** The routes of the API: what they work with, and the variants that a route has. */
import type { BrokerClient } from '@hubbub/broker';
import type { ApiOperation } from '@hubbub/protocol';
import { type Failure, type HttpRequest, type Route, type RouteScope, route, singleHeader } from '@hubbub/runtime/http';
import type { AccessControl, DeadLetters, Hubbub, PresenceQueries, TokenMint } from '@hubbub/server';
import type { z } from 'zod';
import { keyOf } from '../idempotency.js';
import type { ApiMetrics } from '../metrics.js';
import type { Publishing } from '../publishing.js';
import type { Tails } from '../tails.js';
import { idempotencyHeaders } from './fields.js';

/** The parts that routes use. */
export interface RouteParts {
  readonly brokerClient: Pick<BrokerClient, 'history' | 'namespaces' | 'online'>;
  /** Undefined if this process does not know a presence process. */
  readonly presence: PresenceQueries | undefined;
  readonly access: AccessControl;
  readonly revocationTtlMs: number;
  readonly hubbub: DeadLetters & Pick<Hubbub, 'explain' | 'nodes' | 'moveSessions' | 'eventBacklogs'>;
  readonly tails: Tails;
  readonly publishing: Publishing;
  /** Undefined if this process mints no tokens. */
  readonly mint: TokenMint | undefined;
  readonly metrics: ApiMetrics;
}

export type RequestFacts = Pick<HttpRequest, 'apiKey' | 'span'>;

interface Definition<Takes extends z.ZodObject, Answer extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `undefined`: every key may use it. */
  readonly operation: ApiOperation | undefined;
  readonly scope?: RouteScope;
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** Whether a request may be repeated under an idempotency key. */
  readonly takesKey?: boolean;
  /** 503: Redis or presence has to answer. */
  readonly failures: readonly 503[];
  readonly takes?: Takes;
  readonly answer: Answer;
  /**
   * @param key the idempotency key, of the header or of the body
   * @param request its API key, where the route checks the namespaces itself, and its span
   */
  handle(input: z.output<Takes>, key: string | undefined, request: RequestFacts): Promise<z.input<Answer>>;
}

const BODY_FAILURES = { GET: [], DELETE: [415], POST: [413, 415] } as const;
const ALWAYS: readonly Failure[] = [400, 401, 403, 408, 429, 431, 500];

export function apiRoute<Takes extends z.ZodObject, Answer extends z.ZodType>({
  takesKey = false,
  failures,
  handle,
  ...definition
}: Definition<Takes, Answer>): Route {
  const ofBody: readonly Failure[] = BODY_FAILURES[definition.method];
  return route({
    ...definition,
    ...(takesKey && { headers: idempotencyHeaders }),
    failures: [...ALWAYS, ...ofBody, ...(takesKey ? ([409] as const) : []), ...failures],
    handle: (input, request) =>
      handle(
        input,
        takesKey ? keyOf(singleHeader(request, 'idempotency-key'), Object(input).idempotency_key) : undefined,
        request,
      ),
  });
}

/**
 * Returns the route, and a variant with its ids in the body, or in the query of a GET or a DELETE. A URL loses some ids, and proxies
 * decode or rewrite others.
 */
export function withIdsBesidePath(original: Route): readonly Route[] {
  if (!original.path.includes('{')) return [original];
  const place = original.method === 'POST' ? 'body' : 'query';
  const beside = {
    ...original,
    path: original.path.replace(/\/\{\w+\}/g, ''),
    operationId: `${original.operationId}ById`,
    summary: `${original.summary}; with the ids in the ${place}`,
  };
  return [original, beside];
}
