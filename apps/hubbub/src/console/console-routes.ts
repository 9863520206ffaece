/**
 * The console's port: its page, the sign-in with an API key, and the HTTP API behind the session's cookie. The API decides what
 * a key may do, and audits it.
 */
import { timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { HubbubError, isErrorCode, isPlainObject, trimEndOf } from '@hubbub/protocol';
import { TokenBucket } from '@hubbub/runtime';
import { type HttpReply, type HttpRequest, type HttpServer, singleHeader } from '@hubbub/runtime/http';
import { type ConsoleSession, ConsoleSessions, SESSION_MS } from './console-sessions.js';

export interface ConsoleOptions {
  /** Address of the HTTP API. */
  readonly apiUrl: string;
  /** The console is behind TLS: browsers send the cookie over TLS only. */
  readonly isSecure: boolean;
}

const COOKIE = 'hubbub_console';
const CSRF_HEADER = 'x-csrf-token';
/** Keys are long, but no guess is to be free. */
const SIGN_INS = { perSecond: 1, burst: 10 };
const TIMEOUT_MS = 15_000;
/** Beside the command line once both are built. */
const BUNDLE = new URL('../console-page/', import.meta.url);

/** Everything is in files of this origin, and nothing is inline. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/console.js': ['console.js', 'text/javascript; charset=utf-8'],
  '/console.css': ['console.css', 'text/css; charset=utf-8'],
} as const;

/** @throws {Error} when the page was not built */
export async function registerConsole(server: HttpServer, { apiUrl, isSecure }: ConsoleOptions): Promise<void> {
  const sessions = new ConsoleSessions();
  const signIns = new TokenBucket(SIGN_INS, performance.now());
  const ask = (path: string, key: string, init: RequestInit = {}) => askApi(apiUrl, path, key, init);

  server.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
  });
  for (const [path, [name, type]] of Object.entries(FILES)) {
    const content = await readFile(new URL(name, BUNDLE)).catch(cause => {
      throw new Error(`The console is not built (${name} is missing): run npm run build.`, { cause });
    });
    server.get(path, async (_request, reply) => reply.type(type).send(content));
  }

  const describe = async ({ key, csrfToken }: ConsoleSession) => {
    const answer = await ask('/key', key, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await answer.json();
    if (!answer.ok || !isPlainObject(body)) throw refusalOf(body);
    return { ...body, csrf_token: csrfToken };
  };

  server.post('/session', async (request, reply) => {
    assertSameSite(request);
    const { key } = Object(request.body);
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(key)) {
      throw new HubbubError('INVALID_FORMAT', 'key: expected an API key.');
    }
    if (signIns.waitMs(performance.now()) > 0) {
      throw new HubbubError('RATE_LIMITED', 'Too many sign-ins; try again in a few seconds.');
    }
    signIns.take();
    const { id, session } = sessions.open(key);
    try {
      const described = await describe(session);
      setCookie(reply, id, SESSION_MS, isSecure);
      return described;
    } catch (error) {
      sessions.close(id);
      throw error;
    }
  });
  server.get('/session', async request => await describe(sessionOf(request)));
  server.delete('/session', async (request, reply) => {
    assertCsrfToken(request, sessionOf(request));
    sessions.close(cookieOf(request));
    setCookie(reply, '', 0, isSecure);
    return {};
  });

  for (const method of ['GET', 'POST', 'DELETE'] as const) {
    server.route({
      method,
      url: '/api/*',
      handler: async (request, reply) => {
        const session = sessionOf(request);
        if (method !== 'GET') assertCsrfToken(request, session);
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        const answer = await ask(request.url.slice('/api'.length), session.key, {
          method,
          signal: gone.signal,
          ...(method !== 'GET' && {
            body: JSON.stringify(request.body ?? {}),
            headers: { 'content-type': 'application/json' },
          }),
        });
        reply.code(answer.status).type(answer.headers.get('content-type') ?? 'application/json');
        return reply.send(answer.body === null ? '' : Readable.fromWeb(answer.body as never));
      },
    });
  }

  /** @throws {HubbubError} `UNAUTHORIZED` */
  function sessionOf(request: HttpRequest): ConsoleSession {
    const session = sessions.get(cookieOf(request));
    if (session !== undefined) return session;
    throw new HubbubError('UNAUTHORIZED', 'Sign in with an API key.');
  }
}

async function askApi(apiUrl: string, path: string, key: string, { headers, ...init }: RequestInit): Promise<Response> {
  const base = trimEndOf(apiUrl, '/');
  const url = new URL(`${base}${path}`);
  // A path such as //host would be another server, and the key would go there.
  if (url.origin !== new URL(base).origin) throw new HubbubError('NOT_FOUND', 'This path does not exist.');
  try {
    return await fetch(url, { ...init, redirect: 'error', headers: { ...headers, authorization: `Bearer ${key}` } });
  } catch (cause) {
    throw new HubbubError('UNAVAILABLE', `The HTTP API does not answer at ${url.origin}.`, { cause });
  }
}

function refusalOf(body: unknown): HubbubError {
  const { code, message } = Object(body);
  return new HubbubError(isErrorCode(code) ? code : 'UNAVAILABLE', String(message ?? 'The HTTP API sent no answer.'));
}

/** @throws {HubbubError} `FORBIDDEN` for a request of another site's page, which must not sign a browser in */
function assertSameSite(request: HttpRequest): void {
  const site = singleHeader(request, 'sec-fetch-site') ?? 'same-origin';
  if (site === 'same-origin') return;
  throw new HubbubError('FORBIDDEN', 'Requests of other sites are refused.');
}

/** @throws {HubbubError} `FORBIDDEN` */
function assertCsrfToken(request: HttpRequest, { csrfToken }: ConsoleSession): void {
  assertSameSite(request);
  const offered = Buffer.from(singleHeader(request, CSRF_HEADER) ?? '');
  const expected = Buffer.from(csrfToken);
  if (offered.length === expected.length && timingSafeEqual(offered, expected)) return;
  throw new HubbubError('FORBIDDEN', `${CSRF_HEADER}: the token of this session is missing or wrong; reload the page.`);
}

function cookieOf(request: HttpRequest): string | undefined {
  const cookies = (request.headers.cookie ?? '').split(';').map(cookie => cookie.trim());
  return cookies.find(cookie => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

function setCookie(reply: HttpReply, value: string, maxAgeMs: number, isSecure: boolean): void {
  const age = Math.floor(maxAgeMs / 1000);
  const secure = isSecure ? '; Secure' : '';
  reply.header('set-cookie', `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`);
}
