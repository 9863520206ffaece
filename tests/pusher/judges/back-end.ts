/** The back end that the suite of pusher-js has beside it: signs subscriptions, and publishes events. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import type PusherServer from 'pusher';
import { cleanup } from '../../support/cleanup.js';

/** Resolves with its address. @param pages that it serves, HTML and scripts, by their paths */
export async function startBackEnd(
  server: PusherServer,
  pages: Readonly<Record<string, string>> = {},
): Promise<string> {
  const http = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const page = pages[url.pathname];
    if (page !== undefined) {
      response.setHeader('Content-Type', url.pathname.endsWith('.js') ? 'text/javascript' : 'text/html');
      response.end(page);
      return;
    }
    if (url.pathname === '/auth') {
      void readText(request).then(body => {
        const form = new URLSearchParams(body);
        const socketId = form.get('socket_id') ?? '';
        const user_info = { name: `Integration ${socketId}`, email: `integration-${socketId}@example.com` };
        const answer = server.authorizeChannel(socketId, form.get('channel_name') ?? '', {
          user_id: socketId,
          user_info,
        });
        response.end(JSON.stringify(answer));
      });
      return;
    }
    const decoded = (name: string) => Buffer.from(url.searchParams.get(name) ?? '', 'base64').toString();
    void server.trigger(decoded('channel'), decoded('event'), JSON.parse(decoded('data')));
    response.end();
  });
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve));
  cleanup(() => new Promise(resolve => http.close(resolve)));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}
