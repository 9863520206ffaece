/** `hubbub doctor` where Redis is several servers: it checks each of them, and its advice names the server. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePort } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { tlsCertificate, tlsCertificateFiles } from '../support/certificate.js';
import { runHubbub } from '../support/process.js';
import { startRedis } from '../support/redis.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { startSentinelRedis } from '../support/redis-sentinel.js';
import { examine } from './examination.js';

const SECRET = 'needle-that-nobody-may-see-0123456789';

/** The first command of an advice, as a person runs it. */
async function run(change = '', env: Readonly<Record<string, string>> = {}): Promise<string> {
  const [command = ''] = change.split('\n');
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { env: { ...process.env, ...env } });
  return stdout.trim();
}

describe('with several servers', () => {
  const SERVER_CHECKS = [
    'Redis',
    'Redis version',
    'Redis role',
    'Redis pub/sub buffers',
    'Redis eviction',
    'Redis latency',
    'Redis clock',
    'publish and hear',
  ];

  test('checks each shard by name, with advice for it alone, and reports what differs between them', async () => {
    const [first, second] = await Promise.all([
      startRedis({ own: true }),
      startRedis({ args: ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'] }),
    ]);
    await second.cli('CONFIG', 'SET', 'requirepass', SECRET);
    const env = {
      HUBBUB_REDIS_URL: `${first.url},${second.url.replace('redis://', `redis://:${SECRET}@`)}`,
      HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '1000',
    };
    const [one, two] = [first, second].map(({ port }) => `127.0.0.1:${port}`);
    const before = await examine(env);
    expect(before.code).toBe(1);
    for (const name of SERVER_CHECKS) {
      for (const server of [one, two]) expect(before.of(`${name} (${server})`), `${name} ${server}`).toBeDefined();
    }
    expect(before.of(`Redis eviction (${one})`)?.verdict).not.toBe('fail');
    expect(before.of(`Redis eviction (${two})`)).toMatchObject({
      verdict: 'fail',
      change: expect.stringContaining(`redis-cli -h 127.0.0.1 -p ${second.port} --askpass config set`),
    });
    expect(before.of('Redis servers')).toMatchObject({
      verdict: 'warn',
      found: expect.stringContaining(`allkeys-lru on ${two}`),
    });
    expect(before.of('Redis clocks')).toMatchObject({ verdict: 'ok' });
    expect(before.stdout).not.toContain(SECRET);

    await first.halt();
    const after = await examine(env);
    expect(after.of(`Redis (${one})`)).toMatchObject({
      verdict: 'fail',
      found: expect.stringContaining('ECONNREFUSED'),
    });
    expect(after.of(`publish and hear (${two})`)?.verdict).not.toBe('fail');
  });

  test('checks the Redis of the registry too, by its own setting, and each server once', async () => {
    const [rooms, registry] = await Promise.all([
      startRedis({ own: true }),
      startRedis({ args: ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'] }),
    ]);
    const env = { HUBBUB_REDIS_URL: rooms.url, HUBBUB_REGISTRY_REDIS_URL: registry.url };
    const both = await examine(env);
    const name = `127.0.0.1:${registry.port}`;
    for (const check of SERVER_CHECKS) expect(both.of(`${check} (127.0.0.1:${rooms.port})`), check).toBeDefined();
    expect(both.of(`publish and hear (${name})`)).toBeUndefined();
    const { change } = both.of(`Redis eviction (${name})`) ?? {};
    expect(change).toContain('redis-cli -u "$HUBBUB_REGISTRY_REDIS_URL" config set');
    expect(await run(change, env)).toBe('OK');
    expect((await examine(env)).of(`Redis eviction (${name})`)?.verdict).toBe('ok');

    const partly = { HUBBUB_REDIS_URL: `${rooms.url},${registry.url}`, HUBBUB_REGISTRY_REDIS_URL: registry.url };
    const { stdout } = await examine(partly);
    expect(stdout.split(`Redis version (${name})`)).toHaveLength(2);
    await registry.halt();
    const dead = await examine({ ...env, HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '500' });
    expect(dead.of(`Redis (${name})`)).toMatchObject({
      verdict: 'fail',
      change: expect.stringContaining('correct HUBBUB_REGISTRY_REDIS_URL'),
    });
  });

  test('finds the servers of a Redis Cluster, and publishes and hears through each', async () => {
    const cluster = await startRedisCluster({ replicas: false });
    const { code, of } = await examine({ HUBBUB_REDIS_URL: cluster.url.replace(/,.*/, '') });
    expect(code).toBe(0);
    for (const { port } of cluster.servers) {
      for (const name of SERVER_CHECKS) expect(of(`${name} (127.0.0.1:${port})`), `${name} ${port}`).toBeDefined();
      expect(of(`publish and hear (127.0.0.1:${port})`)?.found).toMatch(/^median [\d.]+ ms/);
    }
    expect(of('Redis servers')).toMatchObject({ verdict: 'ok' });
  });

  test('advice for a primary that Sentinels name leads to that primary', async () => {
    const { url, servers } = await startSentinelRedis();
    const { of } = await examine({ HUBBUB_REDIS_URL: url });
    const change = of('Redis pub/sub buffers')?.change;
    expect(change).toContain(`redis-cli -h 127.0.0.1 -p ${servers[0].port} config set`);
    expect(await run(change)).toBe('OK');

    const sentinel = await examine({
      HUBBUB_REDIS_URL: 'redis+sentinel://127.0.0.1:1/hubbub',
      HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '300',
    });
    expect(sentinel.of('Redis')).toMatchObject({
      found: expect.stringContaining('ECONNREFUSED'),
      change: expect.stringMatching(/redis-cli -h 127\.0\.0\.1 -p 1 ping$/),
    });
  });

  test('certificate files are used, and one that cannot be read ends with 78 and its setting', async () => {
    const { certFile, keyFile } = tlsCertificateFiles(tlsCertificate('redis'));
    const port = await freePort();
    const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile];
    await startRedis({ args: ['--tls-port', String(port), ...files] });
    const env = {
      HUBBUB_REDIS_URL: `rediss://127.0.0.1:${port}`,
      HUBBUB_REDIS_TLS_CA_FILE: certFile,
      HUBBUB_REDIS_TLS_CERT_FILE: certFile,
      HUBBUB_REDIS_TLS_KEY_FILE: keyFile,
    };
    const { of } = await examine(env);
    expect(of('publish and hear')?.found).toMatch(/^median/);
    expect(await run(of('Redis pub/sub buffers')?.change, env)).toBe('OK');
    for (const command of [['doctor'], ['edge'], ['publish', 'general', 'said']]) {
      expect(await runHubbub(command, { ...env, HUBBUB_REDIS_TLS_CA_FILE: '/nowhere.crt' }), command[0]).toMatchObject({
        code: 78,
        stderr: expect.stringContaining('HUBBUB_REDIS_TLS_CA_FILE: cannot read /nowhere.crt'),
      });
    }
    expect(await runHubbub(['doctor'], { ...env, HUBBUB_REDIS_URL: 'redis://127.0.0.1:1' })).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('HUBBUB_REDIS_URL: expected TLS'),
    });
  });

  test('a Redis Cluster without an answer fails', async () => {
    const { code, of } = await examine({
      HUBBUB_REDIS_URL: 'redis+cluster://127.0.0.1:1',
      HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '300',
    });
    expect(code).toBe(1);
    expect(of('Redis')).toMatchObject({
      verdict: 'fail',
      found: expect.stringContaining('ECONNREFUSED'),
      change: expect.stringMatching(/redis-cli -h 127\.0\.0\.1 -p 1 ping$/),
    });
  });
});
