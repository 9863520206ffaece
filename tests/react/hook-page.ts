/** The page of `page/` on Vite's development server, in Chromium, at a hub of its own. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectHubbub, type PresenceQueries } from '@hubbub/server';
import { signToken } from '@hubbub/tools/kit';
import react from '@vitejs/plugin-react';
import type { Browser, Page } from 'playwright-core';
import { createServer } from 'vite';
import { withNamespaces } from '../presence/config-file.js';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

const API_KEY = 'key-of-the-hook-stories';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The variables that `page/` gives to the stories. */
export interface PageGlobals {
  readonly client: { connect(): Promise<void>; close(): void };
  readonly sent: string[];
  readonly unmount: () => void;
}

export class HookPages {
  /** Asks the hub. */
  readonly presence: PresenceQueries;
  /** The copy of `page/` that the server serves; a story may edit it. */
  readonly folder: string;
  /** The network between the pages and the hub. */
  readonly network: TcpProxy;
  readonly #hub: TestCluster;
  readonly #origin: string;
  readonly #browser: Browser;

  private constructor(hub: TestCluster, folder: string, network: TcpProxy, origin: string, browser: Browser) {
    // Only its questions to presence are used, which need no Redis.
    const hubbub = connectHubbub({
      redisUrl: 'redis://127.0.0.1:1',
      onError: () => {},
      presence: { url: hub.edge(0).adminUrl, apiKey: API_KEY },
    });
    cleanup(() => hubbub.close());
    this.presence = hubbub.presence;
    this.folder = folder;
    this.network = network;
    this.#hub = hub;
    this.#origin = origin;
    this.#browser = browser;
  }

  /** Call it in `beforeAll`, with `PROVISION_TIMEOUT_MS`. */
  static async start(): Promise<HookPages> {
    const browser = await openBrowser();
    // Inside the repository, where the packages are found by name.
    const folder = await mkdtemp(join(ROOT, 'test-results-'));
    cleanup(() => rm(folder, { recursive: true }));
    await cp(join(import.meta.dirname, 'page'), folder, { recursive: true });
    const server = await createServer({
      root: folder,
      cacheDir: join(folder, 'cache'),
      configFile: false,
      logLevel: 'error',
      plugins: [react()],
      server: { host: '127.0.0.1', port: 0 },
      // Known from the start: a package that is found later reloads the page.
      optimizeDeps: { include: ['react', 'react-dom/client', 'react/jsx-dev-runtime'] },
    });
    cleanup(() => server.close());
    await server.listen();
    const origin = new URL(server.resolvedUrls?.local[0] ?? '').origin;
    const chat = { public: true, historySize: 20, historyTtlMs: 60_000, leaveGraceMs: 1_000 };
    const hub = await startEmbedded({
      env: {
        ...withNamespaces({ chat, secret: {} }),
        HUBBUB_ALLOWED_ORIGINS: origin,
        HUBBUB_PRESENCE_API_KEYS: API_KEY,
      },
    });
    const network = await startTcpProxy({ to: hub.edge(0).process.port });
    return new HookPages(hub, folder, network, origin, browser);
  }

  /** Opens the page as a user, in a room. An error that the page reports fails the story, except broken connections. */
  async visit(user: string, room = ''): Promise<Page> {
    const page = await this.#browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', error => errors.push(String(error)));
    page.on(
      'console',
      message => message.type() === 'error' && !/WebSocket/.test(message.text()) && errors.push(message.text()),
    );
    cleanup(async () => {
      await page.close();
      if (errors.length > 0) throw new Error(`The page of ${user} reported: ${errors.join('; ')}`);
    });
    const query = new URLSearchParams({ url: `ws://127.0.0.1:${this.network.port}/ws`, token: tokenOf(user), room });
    await page.goto(`${this.#origin}/?${query}`);
    return page;
  }

  /** A member without a page. */
  async member(user: string, room: string): Promise<RawClient> {
    const client = await connect(this.#hub.edge(0).wsUrl, { name: user, token: tokenOf(user) });
    await client.join(room);
    return client;
  }
}

function tokenOf(user: string): string {
  return signToken({ user, name: user });
}

/** The types of the frames that the page sent, without heartbeats. */
export async function sentBy(page: Page): Promise<string[]> {
  const sent = await page.evaluate(() => (globalThis as unknown as PageGlobals).sent);
  return sent.filter(type => type !== 'ping');
}

/** Resolves when the page shows the room in this state. */
export async function untilRoom(page: Page, name: string, state = 'joined'): Promise<void> {
  await page.locator(`section[aria-label="${name}"][data-room="${state}"]`).waitFor();
}
