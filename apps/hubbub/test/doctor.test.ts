/** Doctor's verdicts on machines and servers that are not available here. */
import type { RedisShard } from '@hubbub/broker';
import { Channels } from '@hubbub/protocol';
import { describe, expect, test } from 'vitest';
import { acceptQueue, ephemeralPorts, nodeVersion } from '../src/doctor/machine.js';
import { channelAt } from '../src/doctor/redis-servers.js';
import {
  alike,
  bufferMemory,
  clocksTogether,
  evictionPolicy,
  pubSubBuffers,
  redisVersion,
  snapshots,
} from '../src/doctor/redis-verdicts.js';

test.each([
  ['redis_version:6.0.16\r\n', 'fail'],
  ['redis_version:6.2.0\r\n', 'ok'],
  ['redis_version:8.0.1\r\n', 'ok'],
  ['redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.0.0\r\n', 'ok'],
  ['', 'fail'],
])('INFO with %j is %s', (info, verdict) => {
  expect(redisVersion(info).verdict).toBe(verdict);
});

test('a Redis Cluster needs 7.0, which has sharded pub/sub', () => {
  expect(redisVersion('redis_version:6.2.0', true)).toMatchObject({
    verdict: 'fail',
    change: 'Install Redis 7.0 or newer, or Valkey.',
  });
  expect(redisVersion('redis_version:7.0.0', true).verdict).toBe('ok');
});

test('servers of different versions are reported, with the value of each', () => {
  const version = (value: string) => new Map([['version', value]]);
  const different = alike(new Map(Object.entries({ a: version('7.0.15'), b: version('7.2.4') })));
  expect(different).toMatchObject({ verdict: 'warn', found: 'they differ in version: 7.0.15 on a, 7.2.4 on b' });
  expect(alike(new Map(Object.entries({ a: version('7.0.15'), b: version('7.0.15') }))).verdict).toBe('ok');
});

test('a server whose slots have moved has no channel to publish to', () => {
  const [gone, other] = [{ name: '10.0.0.1:6379' }, { name: '10.0.0.2:6379' }] as [RedisShard, RedisShard];
  expect(() => channelAt({ shardOf: () => other }, gone, new Channels('hubbub'))).toThrow(
    '10.0.0.1:6379 holds no slot',
  );
});

test('clocks of servers may differ by a second', () => {
  expect(clocksTogether(new Map(Object.entries({ a: -600, b: 600 })))).toMatchObject({
    verdict: 'warn',
    found: 'b is 1200 ms ahead of a',
  });
  expect(clocksTogether(new Map(Object.entries({ a: -400, b: 500 }))).verdict).toBe('ok');
});

test.each([
  ['normal 0 0 0 pubsub 33554432 8388608 60', 'warn'],
  ['normal 0 0 0 pubsub 268435456 67108864 60', 'ok'],
  ['normal 0 0 0 pubsub 0 0 0', 'ok'],
  ['normal 0 0 0 pubsub 268435456 1048576 10', 'fail'],
])('client-output-buffer-limit %j is %s', (limits, verdict) => {
  expect(pubSubBuffers(limits).verdict).toBe(verdict);
});

test.each([
  ['noeviction', '0', 'ok'],
  ['volatile-lru', '0', 'warn'],
  ['volatile-lru', '1048576', 'fail'],
])('maxmemory-policy %s with maxmemory %s is %s', (policy, limit, verdict) => {
  expect(evictionPolicy(policy, limit).verdict).toBe(verdict);
});

test.each([
  ['20.18.3', '2026-01-01', { verdict: 'fail', change: expect.stringContaining('Install Node 20.19 or newer') }],
  ['20.19.0', '2026-04-30', { verdict: 'ok', found: '20.19.0, supported until 2026-04-30' }],
  ['20.19.0', '2026-05-01', { verdict: 'warn', found: expect.stringContaining('its support ended on 2026-04-30') }],
  ['20.19.0', '2027-05-01', { change: 'Install Node 24 or 26: https://nodejs.org' }],
  ['22.1.0', '2026-11-30', { verdict: 'ok', found: '22.1.0, supported until 2027-04-30' }],
  ['24.0.0', '2026-11-30', { verdict: 'ok', found: '24.0.0, supported until 2028-04-30' }],
  ['23.1.0', '2026-11-30', { verdict: 'warn', found: expect.stringContaining('its support is short') }],
  ['25.2.0', '2026-11-30', { verdict: 'fail', found: '25.2.0, for which the engine has no build' }],
  ['26.0.0', '2026-11-30', { verdict: 'ok', found: '26.0.0, supported until 2029-04-30' }],
  ['28.0.0', '2028-11-30', { verdict: 'fail', change: 'Install Node 26: https://nodejs.org' }],
])('Node %s on %s', (version, today, check) => {
  expect(nodeVersion(version, today)).toMatchObject(check);
});

test('a port in the ephemeral range must be reserved, in addition to those that already are', () => {
  const ports = { port: 40_000, adminPort: 8081, apiPort: 0 };
  expect(ephemeralPorts('32768\t60999', '50000-50010', ports)).toMatchObject({
    verdict: 'warn',
    change: 'sysctl -w net.ipv4.ip_local_reserved_ports=50000-50010,40000',
  });
  expect(ephemeralPorts('32768\t60999', '39999-40001', ports).verdict).toBe('ok');
  expect(ephemeralPorts('32768\t60999', '', { ...ports, port: 8080 }).verdict).toBe('ok');
});

test("the queue of an edge is the engine's, however large that of the kernel may be", () => {
  expect(acceptQueue(128)).toMatchObject({ verdict: 'warn', found: expect.stringContaining('128 connections') });
  expect(acceptQueue(4096)).toMatchObject({ verdict: 'ok', found: expect.stringMatching(/^512 .*--workers/) });
});

describe('the memory of Redis', () => {
  const MB = 1_048_576;
  const limits = 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60';

  test('must hold the data and what every subscriber may buffer', () => {
    const memory = { usedBytes: 100 * MB, subscribers: 3, limits };
    expect(bufferMemory({ ...memory, maxBytes: 196 * MB }).verdict).toBe('ok');
    expect(bufferMemory({ ...memory, maxBytes: 195 * MB })).toMatchObject({
      verdict: 'warn',
      change: expect.stringContaining('maxmemory 196mb'),
    });
    expect(bufferMemory({ ...memory, maxBytes: 0 }).verdict).toBe('ok');
  });

  test.each([
    ['', 'yes', 'ok'],
    ['3600 1 300 100', 'no', 'ok'],
    ['3600 1 300 100', 'yes', 'warn'],
  ])('snapshots "%s" that stop writes when they fail (%s): %s', (save, stops, verdict) => {
    expect(snapshots(save, stops).verdict).toBe(verdict);
  });
});
