/** Presence's HTTP interface: finds the route, asks for the key, answers JSON. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, HubbubError } from '@hubbub/protocol';
import { type AdminRequestHandler, answerOtherMethod, createKeyCheck, isRead } from '@hubbub/runtime';
import { openApiDescription } from './openapi.js';
import { ROUTES, type Route, type RouteParts } from './routes.js';

const STATUS: Partial<Record<ErrorCode, number>> = { UNAUTHORIZED: 401, UNAVAILABLE: 503 };

export interface PresenceHttpOptions extends RouteParts {
  /** None: every request is answered 401. */
  readonly apiKeys: readonly string[];
}

/**
 * Handles the paths of presence and leaves all others alone (returns false), so that it can stand beside others on one port.
 *
 * @example
 * startAdminServer({ ..., handle: createPresenceHttp({ registry, onlineCounter, nodeLeases, apiKeys }) });
 */
export function createPresenceHttp(options: PresenceHttpOptions): AdminRequestHandler {
  const isAuthorized = createKeyCheck(options.apiKeys);
  const description = openApiDescription();
  return (request, response) => {
    const [path = '', query] = (request.url ?? '').split('?', 2);
    const match = findRoute(path);
    if (match === undefined && path !== '/openapi.json') return false;
    if (!isRead(request)) answerOtherMethod(request, response);
    else if (match === undefined) send(response, 200, description);
    else void answer(match.route, match.parameter, new URLSearchParams(query), request, response);
    return true;
  };

  async function answer(
    route: Route,
    parameter: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    try {
      if ((request.headersDistinct.authorization ?? []).length > 1) {
        throw new HubbubError('INVALID_FORMAT', 'Authorization: expected one.');
      }
      if (!isAuthorized(request.headers.authorization)) {
        throw new HubbubError('UNAUTHORIZED', 'Authorization: Bearer <API key> is missing or wrong.');
      }
      send(response, 200, await route.handle(options, query, parameter));
    } catch (error) {
      if (!(error instanceof HubbubError)) {
        // A defect of ours: the asker gets no details, the process lives.
        send(response, 500, { code: 'UNAVAILABLE', message: 'Presence failed to answer.' });
        return;
      }
      send(response, STATUS[error.code] ?? 400, { code: error.code, message: error.message });
    }
  }
}

function findRoute(path: string): { route: Route; parameter: string } | undefined {
  const segments = path.split('/');
  for (const route of ROUTES) {
    const expected = route.path.split('/');
    if (expected.length !== segments.length) continue;
    let parameter = '';
    const fits = expected.every((part, index) => {
      const segment = segments[index] ?? '';
      if (!part.startsWith('{')) return part === segment;
      parameter = segment;
      return segment !== '';
    });
    if (fits) return { route, parameter: decoded(parameter) };
  }
  return undefined;
}

/** Broken percent-encoding stays as it is, and is then no valid name. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  });
  response.end(`${JSON.stringify(body)}\n`);
}
