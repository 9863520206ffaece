/** docs/guides/authenticate-users.md: its programs give tokens that a hub accepts, and its authorizer decides about joins. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, freePort, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { transform } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Consumer } from '../packages/consumer.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { provisionPhp, titleOf } from '../support/provision.js';
import { connect } from '../support/raw-client.js';
import { type Programs, programsOf, startProgram } from './programs.js';

const ENV = { HUBBUB_JWT_SECRET: TEST_JWT_SECRET };
const COOKIE = 'session=0f8a1c3e';
const php = provisionPhp();

/** The answer of a server that may still be starting. */
function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return eventually(() => fetch(url, { method: 'POST', headers }), { describe: `${url} answers` });
}

/** Runs the guide in the folder of a consumer that has Express. */
export function describeAuthenticateUsers(installed: () => Consumer): void {
  describe('authenticate-users.md', () => {
    let guide: Programs;
    let hub: TestCluster;

    beforeAll(async () => {
      guide = await programsOf('docs/guides/authenticate-users.md', installed().folder);
      await guide.write('sessions.mjs');
      for (const file of ['hubbub-token.php', 'token.php']) await guide.write(file);
      hub = await startEmbedded();
    });

    async function expectTokenOfUser(token: string): Promise<void> {
      const client = await connect(hub.edge(0).wsUrl, { token });
      const { payload } = await client.nextFrame('welcome');
      expect(payload).toMatchObject({ user: { id: 'u1', name: 'One' }, expires_in_ms: expect.any(Number) });
    }

    test('express.mjs: a token for the user of the cookie, 401 without one', async () => {
      const port = await freePort();
      await guide.run('express.mjs', [], { env: { ...ENV, PORT: String(port) } });
      const url = `http://127.0.0.1:${port}/hubbub-token`;
      expect((await ask(url)).status).toBe(401);
      const answer = await ask(url, { cookie: COOKIE });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      await expectTokenOfUser(await answer.text());
    });

    test('route.ts of Next.js, as a function: a token for the user of the cookie, 401 without one', async () => {
      const path = await guide.write('app/hubbub-token/route.ts');
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'ts' });
      await installed().write({
        'app/hubbub-token/route.mjs': code,
        'call.mjs': `
      import { POST } from './app/hubbub-token/route.mjs';
      for (const cookie of ['', '${COOKIE}']) {
        const answer = await POST(new Request('http://127.0.0.1/hubbub-token', { method: 'POST', headers: { cookie } }));
        console.log(answer.status, answer.headers.get('cache-control'), await answer.text());
      }`,
      });
      const [refusal, answer = ''] = (await installed().run('node', ['call.mjs'], ENV)).split('\n');
      expect(refusal?.trim()).toBe('401 null');
      expect(answer).toMatch(/^200 no-store /);
      await expectTokenOfUser(answer.slice('200 no-store '.length));
    });

    test.skipIf(php === undefined)(
      `token.php: a token for the user of the session, 401 without one ${titleOf(php, 'PHP')}`,
      async () => {
        const port = await freePort();
        const login = `<?php session_start(); $_SESSION['user'] = ['id' => 'u1', 'name' => 'One'];`;
        await installed().write({ 'login.php': login });
        const args = ['-S', `127.0.0.1:${port}`, '-t', guide.folder, '-d', `session.save_path=${guide.folder}`];
        startProgram(php ?? '', args, ENV);
        const url = `http://127.0.0.1:${port}`;
        expect((await ask(`${url}/token.php`)).status).toBe(401);
        const [cookie = ''] = ((await ask(`${url}/login.php`)).headers.get('set-cookie') ?? '').split(';');
        const answer = await ask(`${url}/token.php`, { cookie });
        expect(answer.headers.get('cache-control')).toContain('no-store');
        await expectTokenOfUser(await answer.text());
      },
    );

    test('authorizer.mjs admits members and refuses others; without it, joins are UNAVAILABLE', async () => {
      const port = await freePort();
      const config = await guide.write('hub.yaml');
      const text = (await readFile(config, 'utf8')).replace(':4000/', `:${port}/`);
      await installed().write({ 'hub.yaml': text });
      const [, key = ''] = /authorizerKey: (\S+)/.exec(text) ?? [];
      const authorizer = await guide.run('authorizer.mjs', [], {
        env: { HUBBUB_AUTHORIZER_KEY: key, PORT: String(port) },
      });
      expect((await ask(`http://127.0.0.1:${port}/authorize`)).status).toBe(403);

      const cluster = await startEmbedded({
        env: { HUBBUB_CONFIG: join(guide.folder, 'hub.yaml'), HUBBUB_AUTHORIZER_CACHE_MS: '0' },
      });
      const enter = (user: string) => connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user }) });
      const [one, two] = [await enter('u1'), await enter('u2')];
      await one.join('club:1');
      const join2 = () => two.ask({ type: 'join_room', payload: { room_id: 'club:1' } });
      expect(await join2()).toMatchObject({ payload: { code: 'FORBIDDEN', message: 'not a member of club:1' } });
      authorizer.stop();
      await authorizer.exited;
      expect(await join2()).toMatchObject({ payload: { code: 'UNAVAILABLE' } });
    });
  });
}
