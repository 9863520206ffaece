/** The playground's pages on the public port of `hubbub start`: the bundle of ../playground, and tokens for its users. */
import { readFile } from 'node:fs/promises';
import { isLoopbackHost } from '@hubbub/config';
import type { Page, PageHandler, PageRequest } from '@hubbub/edge';
import { type ErrorCode, readUserName, userIdProblem } from '@hubbub/protocol';
import type { TokenMint } from './mint-token.js';

export interface PlaygroundOptions {
  /** Signs the tokens that the page asks for. */
  readonly mint: TokenMint;
  /** `HUBBUB_BASE_PATH`: the part before `/ws`. */
  readonly basePath: string;
}

/** A day at a conference table; the page fetches a fresh one at every connection. */
const TOKEN_TTL_MS = 12 * 3_600_000;

/** Beside this file once both are built. */
const BUNDLE = new URL('./playground/', import.meta.url);

const TEXT_HTML = 'text/html; charset=utf-8';
const TEXT_JAVASCRIPT = 'text/javascript; charset=utf-8';
const TEXT_CSS = 'text/css; charset=utf-8';
const APPLICATION_JSON = 'application/json';

const COMMON_HEADERS = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' } as const;

/** Everything is ours and in files. The page opens sockets, and its icon is a data URL. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The pages by path, for `startEdge({ pages })`.
 *
 * `/playground/token` gives anybody who asks a token in any name. That is why `hubbub start` mounts these pages outside
 * production and on loopback hosts only: there, whoever can ask can also run `hubbub token`. No CORS header is sent,
 * so that other sites' scripts cannot read the answer.
 *
 * @throws {Error} when the bundle was not built.
 */
export async function playgroundPages({
  mint,
  basePath,
}: PlaygroundOptions): Promise<Readonly<Record<string, PageHandler>>> {
  const html = await readBundled('index.html');
  // The setting's grammar (letters, digits and /._~-) needs no escaping.
  const page = html.replace('name="hubbub-base-path" content=""', `name="hubbub-base-path" content="${basePath}"`);
  return {
    '/': staticPage(TEXT_HTML, page, { 'content-security-policy': CONTENT_SECURITY_POLICY }),
    '/playground.js': staticPage(TEXT_JAVASCRIPT, await readBundled('playground.js')),
    '/playground.js.map': staticPage(APPLICATION_JSON, await readBundled('playground.js.map')),
    '/playground.css': staticPage(TEXT_CSS, await readBundled('playground.css')),
    '/playground.css.map': staticPage(APPLICATION_JSON, await readBundled('playground.css.map')),
    '/playground/token': request => tokenPage(mint, request),
  };
}

/** no-cache: the browser asks again each time, and never shows the page of an older build. */
function staticPage(contentType: string, body: string, headers: Readonly<Record<string, string>> = {}): PageHandler {
  const page: Page = { contentType, body, headers: { ...COMMON_HEADERS, 'cache-control': 'no-cache', ...headers } };
  return () => page;
}

function tokenPage(mint: TokenMint, { query, host }: PageRequest): Page {
  // A foreign site that has its name resolve to this machine (DNS rebinding) is same-origin with us, but not by our name.
  if (!isLoopbackHost(host.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''))) {
    return jsonPage('403 Forbidden', refusal('ORIGIN_NOT_ALLOWED', 'Tokens are for pages of this machine only.'));
  }
  const user = query.get('user') ?? '';
  const wrong = (problem: string) => jsonPage('400 Bad Request', refusal('INVALID_FORMAT', problem));
  // Better here than as a refused handshake without words.
  const problem = userIdProblem(user);
  if (problem !== undefined) return wrong(`The user's id ${problem}.`);
  const called = readUserName(query.get('name') ?? user);
  if ('problem' in called) return wrong(`The user's name ${called.problem}.`);
  return jsonPage('200 OK', { token: mint({ user, ...called, ttlMs: TOKEN_TTL_MS }) });
}

function refusal(code: ErrorCode, message: string) {
  return { code, message };
}

function jsonPage(status: string, body: object): Page {
  return {
    status,
    contentType: APPLICATION_JSON,
    body: JSON.stringify(body),
    headers: { ...COMMON_HEADERS, 'cache-control': 'no-store', 'cross-origin-resource-policy': 'same-origin' },
  };
}

async function readBundled(name: string): Promise<string> {
  try {
    return await readFile(new URL(name, BUNDLE), 'utf8');
  } catch (cause) {
    throw new Error(`The playground is not built (${name} is missing): run npm run build.`, { cause });
  }
}
