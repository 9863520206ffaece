/** `hubbub token` signs tokens that an edge with the same settings accepts, or reports why it cannot; the warning of the development secret is true. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEVELOPMENT_JWT_SECRET } from '@hubbub/config';
import { TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { type Environment, startEmbedded } from '../support/cluster.js';
import { keyPair } from '../support/jwt.js';
import { startKeyServer } from '../support/key-server.js';
import { runHubbub, startProcess } from '../support/process.js';
import { connect } from '../support/raw-client.js';

const STRONG = { HUBBUB_JWT_SECRET: 'Vn0yX2m4R1tKp8sQ3wEz6uHa9cJf5dLb' };
const PORTS = { HUBBUB_HOST: '127.0.0.1', HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0' };

async function pemFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hubbub-'));
  cleanup(() => rm(folder, { recursive: true }));
  const path = join(folder, 'key.pem');
  writeFileSync(path, keyPair('P-256').pem);
  return path;
}

describe('hubbub token', () => {
  test.each(['HS256', 'HS384', 'HS512'])(
    'signs with %s, for the issuer and the audience of the settings',
    async alg => {
      const env: Environment = {
        HUBBUB_JWT_SECRET: 'a secret that is long enough for every one of the three hashes, which is 64',
        HUBBUB_JWT_SECRET_ALGORITHM: alg,
        HUBBUB_JWT_ISSUER: 'https://id.example',
        HUBBUB_JWT_AUDIENCE: 'chat,game',
      };
      const { stdout } = await runHubbub(['token', '--user', 'u1'], env);
      expect(JSON.parse(Buffer.from(stdout.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({ alg });
      const cluster = await startEmbedded({ env });
      const client = await connect(cluster.edge(0).wsUrl, { token: stdout.trim() });
      await client.nextFrame({ type: 'welcome', payload: { user: { id: 'u1' } } });
    },
  );

  test('opens the rooms that a token of the playground opens: all in development', async () => {
    const cluster = await startEmbedded();
    const env = { HUBBUB_JWT_SECRET: TEST_JWT_SECRET };
    const answer = await fetch(`${cluster.edge(0).httpUrl}/playground/token?user=u1`);
    const { token: played } = (await answer.json()) as { token: string };
    const minted = (await runHubbub(['token', '--user', 'u1'], env)).stdout.trim();
    for (const token of [played, minted]) {
      const client = await connect(cluster.edge(0).wsUrl, { token });
      for (const room of ['general', 'chat:42']) await client.join(room);
    }
    const { stdout } = await runHubbub(['token', '--user', 'u1'], { ...STRONG, NODE_ENV: 'production' });
    const claims = JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).not.toHaveProperty('rooms');
  });

  test('where only public keys are configured it refuses, with the reason', async () => {
    for (const env of [
      { HUBBUB_JWT_PUBLIC_KEY_FILES: await pemFile() },
      { HUBBUB_JWT_JWKS_URL: 'http://127.0.0.1:1/jwks.json' },
      { HUBBUB_JWT_ACCEPTED_SECRETS: 'only for verifying' },
    ]) {
      const { code, stdout, stderr } = await runHubbub(['token', '--user', 'u1'], env);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('HUBBUB_JWT_SECRET is not set');
    }
  });
});

describe('the development secret', () => {
  const warning = { event: 'development_secret' };

  test('is announced where no key is configured', async () => {
    const started = await startProcess(['start'], { env: PORTS });
    await started.output.waitForLog(warning);
  });

  test('is announced where it is set, and so is an address that other machines reach', async () => {
    const env = { ...PORTS, HUBBUB_JWT_SECRET: DEVELOPMENT_JWT_SECRET, HUBBUB_HOST: '0.0.0.0' };
    const started = await startProcess(['start'], { env });
    await started.output.waitForLog(warning);
    await started.output.waitForLog({ event: 'development_beyond_this_machine', level: 'warn' });
  });

  test('is not announced where public keys are, and the playground gives no tokens then', async () => {
    const keys = await startKeyServer();
    for (const env of [{ HUBBUB_JWT_PUBLIC_KEY_FILES: await pemFile() }, { HUBBUB_JWT_JWKS_URL: keys.url }]) {
      const started = await startProcess(['start'], { env: { ...PORTS, ...env } });
      const answer = await fetch(`http://127.0.0.1:${started.port}/playground/token?user=u1`);
      expect(answer.status).toBe(404);
      await started.kill('SIGTERM'); // Its last line comes after all lines of the start.
      expect(started.output.lines.join('\n')).not.toContain('development_secret');
    }
  });

  test('a start that fails for its keys names the file and ends', async () => {
    const started = await runHubbub(['start'], { ...PORTS, HUBBUB_JWT_PUBLIC_KEY_FILES: '/nowhere/key.pem' });
    expect(started.code).toBe(78);
    expect(started.stderr).toContain('HUBBUB_JWT_PUBLIC_KEY_FILES: /nowhere/key.pem: ENOENT');
  });
});
