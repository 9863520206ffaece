/** Laravel Echo in a page of Chromium, from the files that its package has for browsers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@hubbub/tools/kit';
import type { Browser } from 'playwright-core';

/** `seen` has a line for each event that the page got. */
const PAGE = `<!doctype html>
<link rel="icon" href="data:,">
<script src="/pusher.js"></script>
<script src="/echo.js"></script>
<script>
  const query = new URLSearchParams(location.search);
  const seen = [];
  const echo = new Echo.default({
    broadcaster: 'reverb',
    key: query.get('key'),
    wsHost: '127.0.0.1',
    wsPort: Number(query.get('port')),
    forceTLS: false,
    enabledTransports: ['ws', 'wss'],
    authEndpoint: '/auth',
  });
  const channel = echo
    .join('page')
    .here(users => seen.push('here ' + users.length))
    .joining(() => seen.push('joining'))
    .leaving(() => seen.push('leaving'))
    .listen('.order.paid', ({ order }) => seen.push('paid ' + order))
    .listenForWhisper('typing', ({ who }) => seen.push('typing ' + who));
</script>`;

/**
 * For the back end to serve: Chromium lets no page that a test made up connect to an address of this machine (local network access).
 */
export const ECHO_PAGES = {
  '/page': PAGE,
  '/pusher.js': readFileSync(join(ROOT, 'node_modules/pusher-js/dist/web/pusher.min.js'), 'utf8'),
  '/echo.js': readFileSync(join(ROOT, 'node_modules/laravel-echo/dist/echo.iife.js'), 'utf8'),
};

export interface EchoPage {
  seen(): Promise<string[]>;
  /** Runs a statement with `echo` and `channel` of the page. */
  run(statement: string): Promise<void>;
}

/** @param server `backEnd` serves {@link ECHO_PAGES} and signs subscriptions at `/auth`; `port` is that of an edge */
export async function openEchoPage(
  browser: Browser,
  { backEnd, key, port }: { readonly backEnd: string; readonly key: string; readonly port: number },
): Promise<EchoPage> {
  const page = await browser.newPage();
  await page.goto(`${backEnd}/page?key=${key}&port=${port}`);
  return {
    seen: () => page.evaluate('seen'),
    run: statement => page.evaluate(`void (${statement})`),
  };
}
