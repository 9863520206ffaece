/** `hubbub doctor` reports problems of machine, settings, Redis and presence, and its advice fixes them. */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { adopt } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { tlsCertificate, tlsCertificateFiles } from '../support/certificate.js';
import { startCluster } from '../support/cluster.js';
import { jwk, keyPair } from '../support/jwt.js';
import { startKeyServer } from '../support/key-server.js';
import { runHubbub } from '../support/process.js';
import { startRedis } from '../support/redis.js';
import { examine } from './examination.js';

const MAIN = fileURLToPath(new URL('../../apps/hubbub/dist/cli/main.js', import.meta.url));
const SECRET = 'needle-that-nobody-may-see-0123456789';

describe('without Redis', () => {
  test('checks the machine, reports that the hub is embedded, and ends with 0', async () => {
    const { code, ok, checks, of } = await examine({});
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(of('Node')?.found).toMatch(new RegExp(`^${process.versions.node}\\b`));
    expect(of('engine')?.found).toMatch(/^uWebSockets\.js(-compat)?@\d/);
    expect(of('Redis')).toMatchObject({ verdict: 'ok', found: expect.stringContaining('in memory') });
    // Every check that is not ok advises a change.
    for (const { verdict, change } of checks) expect(change === undefined).toBe(verdict === 'ok');
  });

  test('an unreachable Redis fails, with its address and without its password', async () => {
    const { code, of, stdout, stderr } = await examine({
      HUBBUB_REDIS_URL: `redis://:${SECRET}@127.0.0.1:1`,
      HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '300',
    });
    expect(code).toBe(1);
    expect(of('Redis')).toMatchObject({ verdict: 'fail', found: expect.stringContaining('redis://•••@127.0.0.1:1') });
    expect(of('Redis')?.found).toContain('ECONNREFUSED');
    expect(stdout + stderr).not.toContain(SECRET);
  });

  test('a limit of 512 open files fails', async () => {
    const child = spawn('sh', ['-c', `ulimit -n 512; exec "${process.execPath}" "${MAIN}" doctor`], {
      env: { PATH: process.env.PATH },
    });
    adopt(child);
    let reply = '';
    child.stdout.on('data', chunk => {
      reply += chunk;
    });
    expect(await new Promise(resolve => child.once('close', resolve))).toBe(1);
    expect(reply).toMatch(/^fail {2}open files: 512 for a process/m);
    expect(reply).toContain('LimitNOFILE=');
  });

  test('a development secret that other machines can use fails; production asks for origins', async () => {
    const open = await examine({ HUBBUB_HOST: '0.0.0.0' });
    expect(open.code).toBe(1);
    expect(open.of('mode')).toMatchObject({ verdict: 'fail', change: expect.stringContaining('NODE_ENV=production') });

    const production = await examine({ NODE_ENV: 'production', HUBBUB_HOST: '0.0.0.0', HUBBUB_JWT_SECRET: SECRET });
    expect(production.code).toBe(0);
    expect(production.of('mode')).toMatchObject({ verdict: 'ok', found: 'production' });
    const origins = production.of('no_allowed_origins');
    expect(origins).toMatchObject({ verdict: 'warn', change: expect.stringContaining('HUBBUB_ALLOWED_ORIGINS') });
    expect(production.stdout).not.toContain(SECRET);

    const weak = await examine({
      NODE_ENV: 'production',
      HUBBUB_HOST: '0.0.0.0',
      HUBBUB_JWT_SECRET: SECRET,
      HUBBUB_AUTHORIZER_URL: 'http://auth.example/',
      HUBBUB_AUTHORIZER_KEY: SECRET,
      HUBBUB_JWT_JWKS_URL: 'https://id.example/jwks',
      HUBBUB_JWT_ISSUER: 'https://id.example',
    });
    for (const name of ['authorizer_in_the_clear', 'key_set_without_audience']) {
      expect(weak.of(name)).toMatchObject({ verdict: 'warn', change: expect.stringContaining('export HUBBUB_') });
    }

    const strict = await examine(
      { NODE_ENV: 'production', HUBBUB_HOST: '0.0.0.0', HUBBUB_JWT_SECRET: SECRET },
      '--strict',
    );
    expect({ code: strict.code, ok: strict.ok }).toEqual({ code: 1, ok: false });
  });
});

describe('the files and servers that an edge needs', () => {
  test('an existing key set, authorizer and TLS files pass', async () => {
    const keys = await startKeyServer([jwk(keyPair('P-256'), { kid: 'k1' })]);
    const files = tlsCertificateFiles(tlsCertificate('doctor'));
    const { of } = await examine({
      HUBBUB_JWT_JWKS_URL: keys.url,
      HUBBUB_AUTHORIZER_URL: keys.url,
      HUBBUB_TLS_CERT_FILE: files.certFile,
      HUBBUB_TLS_KEY_FILE: files.keyFile,
    });
    expect(of('key set')?.found).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/.*: 1 usable keys$/);
    expect(of('authorizer')).toMatchObject({ verdict: 'ok' });
    expect(of('TLS')).toMatchObject({ verdict: 'ok', found: expect.stringContaining('2049') });
  });

  test('missing ones fail', async () => {
    const files = tlsCertificateFiles(tlsCertificate('doctor'));
    files.write({ key: tlsCertificate('another').key });
    const { code, of } = await examine({
      HUBBUB_JWT_JWKS_URL: 'http://127.0.0.1:9/jwks',
      HUBBUB_AUTHORIZER_URL: 'http://127.0.0.1:9/',
      HUBBUB_TLS_CERT_FILE: files.certFile,
      HUBBUB_TLS_KEY_FILE: files.keyFile,
    });
    expect(code).toBe(1);
    for (const name of ['key set', 'authorizer', 'TLS']) expect(of(name)?.verdict, name).toBe('fail');
    expect(of('TLS')?.found).toContain('is not the key of the certificate');
    expect(of('authorizer')?.found).toContain('ECONNREFUSED');
  });
});

describe('with Redis', () => {
  test('one that evicts and cuts edges off early fails, until the advice is applied', async () => {
    const redis = await startRedis({
      args: [
        '--maxmemory',
        '64mb',
        '--maxmemory-policy',
        'allkeys-lru',
        '--client-output-buffer-limit',
        'pubsub 1mb 1mb 10',
      ],
    });
    const env = { HUBBUB_REDIS_URL: redis.url, HUBBUB_REDIS_PREFIX: redis.prefix };
    const before = await examine(env);
    expect(before.code).toBe(1);
    expect(before.of('Redis eviction')).toMatchObject({
      verdict: 'fail',
      found: expect.stringContaining('allkeys-lru'),
    });
    expect(before.of('Redis pub/sub buffers')).toMatchObject({
      verdict: 'fail',
      found: expect.stringContaining('1 MB'),
    });

    for (const name of ['Redis eviction', 'Redis pub/sub buffers']) {
      const [command = ''] = before.of(name)?.change?.split('\n') ?? [];
      await promisify(execFile)('sh', ['-c', command], { env: { ...process.env, ...env } });
    }
    const after = await examine(env);
    expect(after.code).toBe(0);
    for (const name of ['Redis', 'Redis version', 'Redis eviction', 'Redis pub/sub buffers', 'Redis clock']) {
      expect(after.of(name)).toMatchObject({ verdict: 'ok' });
    }
    // The speed depends on the machine; the test verifies only that it was measured.
    expect(after.of('Redis latency')?.found).toMatch(/^median [\d.]+ ms, p99 [\d.]+ ms \(100 pings\)$/);
    expect(after.of('publish and hear')?.found).toMatch(/^median [\d.]+ ms, p99 [\d.]+ ms \(20 messages/);
    expect(await redis.cli('KEYS', '*')).toBe('');
  });

  test('connects as processes do: to the database of the URL, with any password', async () => {
    const redis = await startRedis({ own: true });
    const database = (name: string) => examine({ HUBBUB_REDIS_URL: `${redis.url}/${name}` });
    expect((await database('1')).of('Redis')).toMatchObject({ verdict: 'ok' });
    const none = await examine({ HUBBUB_REDIS_URL: `${redis.url}/99`, HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '500' });
    expect(none.of('Redis')).toMatchObject({ verdict: 'fail', found: expect.stringContaining('DB index') });

    const password = 'a/b#c?d%e@f:g';
    await redis.cli('ACL', 'SETUSER', 'doctor', 'on', `>${password}`, '~*', '&*', '+@all');
    const url = redis.url.replace('redis://', `redis://doctor:${encodeURIComponent(password)}@`);
    expect((await examine({ HUBBUB_REDIS_URL: url })).of('Redis')).toMatchObject({ verdict: 'ok' });
  });

  test('one that refuses SUBSCRIBE fails; one that refuses CONFIG is reported as not known', async () => {
    const redis = await startRedis({ own: true });
    const url = redis.url.replace('redis://', `redis://doctor:${SECRET}@`);
    await redis.cli('ACL', 'SETUSER', 'doctor', 'on', `>${SECRET}`, '~*', '&*', '+@all', '-subscribe', '-config');
    const { code, of, stdout } = await examine({ HUBBUB_REDIS_URL: url, HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '500' });
    expect(code).toBe(1);
    expect(of('Redis eviction')).toMatchObject({ verdict: 'warn', found: expect.stringContaining('NOPERM') });
    expect(of('publish and hear')).toMatchObject({ verdict: 'fail' });
    expect(stdout).not.toContain(SECRET);
  });

  test('presence is asked where its address is set, with its key', async () => {
    const key = `key-${SECRET}`;
    const { presence, redis } = await startCluster({ edges: 0, env: { HUBBUB_PRESENCE_API_KEYS: key } });
    const env = {
      HUBBUB_REDIS_URL: redis.url,
      HUBBUB_PRESENCE_URL: presence[0]?.adminUrl ?? '',
      HUBBUB_PRESENCE_API_KEYS: key,
    };
    expect((await examine(env)).of('presence')).toMatchObject({ verdict: 'ok', found: 'answers; users online: 0' });
    const wrong = await examine({ ...env, HUBBUB_PRESENCE_API_KEYS: `wrong-${key}` });
    expect(wrong.code).toBe(1);
    expect(wrong.of('presence')).toMatchObject({ verdict: 'fail', found: expect.stringContaining('refuses the key') });
    expect(wrong.stdout).not.toContain(SECRET);
    const keyless = await examine({ HUBBUB_PRESENCE_URL: env.HUBBUB_PRESENCE_URL });
    expect(keyless.of('presence')?.found).toMatch(/^HUBBUB_PRESENCE_API_KEYS: required/);
  });
});

test('wrong settings end with 78', async () => {
  expect(await runHubbub(['doctor'], { HUBBUB_PORT: 'eighty' })).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('HUBBUB_PORT'),
  });
});
