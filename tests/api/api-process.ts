/** A process of the API for stories: starts it, sends requests, and reads its metrics. */
import { connect as connectTcp } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { withConfigFile } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import type { Environment, TestCluster } from '../support/cluster.js';
import { type StartProcessOptions, startProcess, type TestProcess } from '../support/process.js';

export const API_KEY = 'a-key-of-the-tests';
export const PRESENCE_KEY = 'a-presence-key-of-the-tests';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface Asking {
  readonly body?: unknown;
  /** Sent unchanged, instead of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  /** `null` for no key. Default: the valid one. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export class ApiProcess {
  constructor(readonly process: TestProcess) {}

  get url(): string {
    return `http://127.0.0.1:${this.process.port}`;
  }

  /** Default: POST with a body, else GET. */
  async ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    { body, raw, key = API_KEY, headers = {} }: Asking = {},
  ): Promise<Answer> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(sent !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(sent !== undefined && { body: sent }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  post(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask('POST', path, { body, headers });
  }

  get(path: string): Promise<Answer> {
    return this.ask('GET', path);
  }

  /** Sends the text unchanged and returns everything received until the connection ends. */
  async exchange(text: string): Promise<string> {
    const socket = connectTcp(this.process.port, '127.0.0.1');
    cleanup(() => socket.destroy());
    socket.write(text);
    return await readText(socket);
  }

  /** Occupies a place among the requests in flight: its body never arrives. Returns how to end it. */
  occupy(path = '/messages'): () => void {
    const socket = connectTcp(this.process.port, '127.0.0.1');
    cleanup(() => socket.destroy());
    socket.on('error', () => {}); // Cut off by the process, which is what some tests are about.
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${API_KEY}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    );
    return () => socket.destroy();
  }

  /** The value of one line of /metrics; 0 if it is absent. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const page = await (await fetch(`${this.process.adminUrl}/metrics`)).text();
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const line = page
      .split('\n')
      .find(one =>
        one.startsWith(`${name}{`) || one.startsWith(`${name} `) ? wanted.every(part => one.includes(part)) : false,
      );
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
  }
}

export interface StartApiOptions extends Pick<StartProcessOptions, 'readyWhen' | 'name'> {
  readonly env?: Environment;
  /** Named keys, in place of the two with every right. */
  readonly keys?: readonly object[];
}

/** Starts `hubbub api` on the cluster's Redis, asking its first presence process. */
export async function startApi(
  cluster: Pick<TestCluster, 'presence' | 'redis'>,
  { env, keys, name = 'api', readyWhen }: StartApiOptions = {},
): Promise<ApiProcess> {
  const [presence] = cluster.presence;
  const process = await startProcess(['api'], {
    name,
    env: {
      HUBBUB_API_PORT: '0',
      HUBBUB_ADMIN_PORT: '0',
      ...(keys === undefined ? { HUBBUB_API_KEYS: `another-key,${API_KEY}` } : withConfigFile({ apiKeys: keys })),
      HUBBUB_REDIS_URL: cluster.redis.url,
      HUBBUB_REDIS_PREFIX: cluster.redis.prefix,
      HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
      ...(presence !== undefined && { HUBBUB_PRESENCE_URL: presence.adminUrl }),
      HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY,
      ...env,
    },
    ...(readyWhen !== undefined && { readyWhen }),
  });
  return new ApiProcess(process);
}
