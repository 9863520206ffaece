/** Secrets in files, as Kubernetes, Compose and systemd provide them: processes that need a secret read it, others need none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, FREE_PORTS, signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { runHubbub, startProcess } from '../support/process.js';
import { connect } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';

const NEXT_SECRET = 'the-next-secret-of-this-test-with-32-bytes';
const PRODUCTION = {
  NODE_ENV: 'production',
  HUBBUB_ALLOWED_ORIGINS: '',
  HUBBUB_DRAIN_DELAY_MS: '0',
  HUBBUB_DRAIN_WINDOW_MS: '500',
};

/** Writes the files, as `kubectl create secret --from-file` does, and returns their paths. */
function secretFiles(contents: Readonly<Record<string, string>>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-secrets-'));
  cleanup(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content);
  return name => join(folder, name);
}

test('presence starts in production with its Redis in a file, and without the secret of tokens', async () => {
  const redis = await startRedis();
  const path = secretFiles({ 'redis-url': `${redis.url}\n` });
  const env = {
    ...PRODUCTION,
    ...FREE_PORTS,
    HUBBUB_REDIS_URL_FILE: path('redis-url'),
    HUBBUB_REDIS_PREFIX: redis.prefix,
  };
  await startProcess(['presence'], { env });
  const edge = await runHubbub(['edge'], env);
  expect(edge).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('HUBBUB_JWT_SECRET: required in production'),
  });
  expect((await runHubbub(['config', 'check'], env)).code).toBe(78);
  expect(await runHubbub(['config', 'check', '--no-tokens'], env)).toMatchObject({ code: 0 });
});

test.each([
  'publish hall said {}',
  'rooms',
  'explain ada',
  'drain --percent 20',
  'revoke ada',
  'block ada --for 1h',
  'webhooks dead-letters shop',
  'webhooks redeliver shop --all',
  'config print',
])('hubbub %s needs no secret of tokens in production', async command => {
  const redis = await startRedis();
  const presence = { HUBBUB_PRESENCE_URL: 'http://127.0.0.1:1', HUBBUB_PRESENCE_API_KEYS: TEST_JWT_SECRET };
  const env = { ...PRODUCTION, ...presence, HUBBUB_REDIS_URL: redis.url, HUBBUB_REDIS_PREFIX: redis.prefix };
  const { code, stderr } = await runHubbub(command.split(' '), env);
  expect(stderr).not.toContain('HUBBUB_JWT_SECRET');
  expect(code).not.toBe(78);
});

test('the secret of tokens is rotated without a refused client', async () => {
  const redis = await startRedis();
  const path = secretFiles({ jwt: TEST_JWT_SECRET, accepted: '\n' });
  const edge = await startProcess(['edge', '--workers', '1'], {
    ownGroup: true,
    env: {
      ...PRODUCTION,
      ...FREE_PORTS,
      HUBBUB_REDIS_URL: redis.url,
      HUBBUB_REDIS_PREFIX: redis.prefix,
      HUBBUB_JWT_SECRET_FILE: path('jwt'),
      HUBBUB_JWT_ACCEPTED_SECRETS_FILE: path('accepted'),
    },
  });
  const session = async (secret: string): Promise<boolean> => {
    const token = signToken({ user: 'u', secret });
    const client = await connect(`ws://127.0.0.1:${edge.port}/ws`, { token });
    await client.nextFrame('welcome');
    await client.close();
    return true;
  };
  const replaceWorkers = async (): Promise<void> => {
    const before = edge.output.logs.filter(({ event }) => event === 'worker_started').length;
    edge.child.kill('SIGHUP');
    await eventually(() => edge.output.logs.filter(({ event }) => event === 'worker_started').length > before);
  };
  await session(TEST_JWT_SECRET);
  await expect(session(NEXT_SECRET)).rejects.toThrow(/401/);

  writeFileSync(path('accepted'), `${NEXT_SECRET}\n`);
  await replaceWorkers();
  await eventually(() => session(NEXT_SECRET).catch(() => false), { describe: 'edges accept the next secret' });
  await session(TEST_JWT_SECRET);

  // Back ends sign with the next one now.
  writeFileSync(path('jwt'), NEXT_SECRET);
  writeFileSync(path('accepted'), '');
  await replaceWorkers();
  await eventually(
    () =>
      session(TEST_JWT_SECRET).then(
        () => false,
        () => true,
      ),
    {
      describe: 'edges refuse the previous secret',
    },
  );
  await session(NEXT_SECRET);
});

test('a file that cannot be read ends the start, with its path', async () => {
  const { code, stderr } = await runHubbub(['edge'], { HUBBUB_JWT_SECRET_FILE: '/nowhere/jwt-secret' });
  expect(code).toBe(78);
  expect(stderr).toContain('HUBBUB_JWT_SECRET_FILE: cannot read /nowhere/jwt-secret: ENOENT');
});
