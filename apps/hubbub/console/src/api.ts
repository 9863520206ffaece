/** Requests of the page: to its own session, and to the HTTP API behind it. */

export interface Session {
  readonly name: string;
  readonly operations: readonly string[];
  readonly namespaces?: readonly string[];
  readonly csrf_token: string;
}

/** The answer of a request that was refused; the code is that of the HTTP API. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

let csrfToken = '';

/** @throws {RequestFailure} */
export async function openSession(key?: string): Promise<Session> {
  const session = await send<Session>(key === undefined ? 'GET' : 'POST', 'session', key && { key });
  csrfToken = session.csrf_token;
  return session;
}

/** @throws {RequestFailure} */
export async function closeSession(): Promise<void> {
  await send('DELETE', 'session');
  csrfToken = '';
}

/** @param path of the HTTP API, its parts encoded by {@link pathOf} @throws {RequestFailure} */
export async function read<Answer>(path: string): Promise<Answer> {
  return await send<Answer>('GET', `api${path}`);
}

/** @throws {RequestFailure} */
export async function act<Answer>(path: string, body: object = {}): Promise<Answer> {
  return await send<Answer>('POST', `api${path}`, body);
}

/** @example pathOf('rooms', 'chat:42', 'close') === '/rooms/chat%3A42/close' */
export function pathOf(...parts: readonly string[]): string {
  return parts.map(part => `/${encodeURIComponent(part)}`).join('');
}

async function send<Answer>(method: string, path: string, body?: object | string): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: { ...(csrfToken !== '' && { 'x-csrf-token': csrfToken }), 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new RequestFailure('UNAVAILABLE', 'The console does not answer.');
  }
  const answer: Partial<Record<string, unknown>> = Object(await response.json().catch(() => ({})));
  if (response.ok) return answer as Answer;
  throw new RequestFailure(String(answer.code ?? response.status), String(answer.message ?? 'The request failed.'));
}
