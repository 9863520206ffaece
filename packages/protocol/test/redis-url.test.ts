/** Redis URLs: what is accepted, what they mean, and which part is wrong. */
import { describe, expect, test } from 'vitest';
import { isSameRedis, parseRedisUrl } from '../src/redis-url.js';

describe('a Redis URL', () => {
  test.each([
    ['redis://127.0.0.1', { host: '127.0.0.1', port: 6379, db: 0, tls: false }],
    ['redis://cache_1.internal:6380/', { host: 'cache_1.internal', port: 6380, db: 0, tls: false }],
    ['rediss://[::1]:6380/15', { host: '::1', port: 6380, db: 15, tls: true }],
    ['redis://:a%2Fb%23c%25d@h', { host: 'h', port: 6379, db: 0, tls: false, password: 'a/b#c%d' }],
    ['redis://me:p@ss:word@h:1', { host: 'h', port: 1, db: 0, tls: false, username: 'me', password: 'p@ss:word' }],
    ['redis://h/3?family=6', { host: 'h', port: 6379, db: 3, tls: false, family: 6 }],
    ['unix:///run/redis.sock', { path: '/run/redis.sock', db: 0 }],
    ['unix:///run/redis.sock?db=2', { path: '/run/redis.sock', db: 2 }],
  ])('%s is accepted', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  test.each([
    ['localhost', /^expected a URL like redis:\/\/127\.0\.0\.1:6379$/],
    ['http://127.0.0.1:6379', /^expected a URL like/],
    ['REDISS://h', /^expected a URL like/],
    ['redis://', /host is missing/],
    ['redis://:6379', /host is missing/],
    ['redis:///0', /host is missing/],
    ['redis://me:secret@:6379', /host is missing/],
    ['redis://h:port', /port is a number/],
    ['redis://h:70000', /port is a number/],
    ['redis://h:0', /port is a number/],
    ['redis://:sec/ret@h:6379', /%2F/],
    ['redis://me:12/34@h:6379', /%2F/],
    ['redis://:sec#ret@h:6379', /%23/],
    ['redis://:sec?ret@h:6379', /%3F/],
    ['redis://:sec%ret@h:6379', /%25/],
    ['redis://:sec ret@h:6379', /%20/],
    ['redis://h:6379\n', /spaces or line breaks/],
    ['redis://h/cache', /database is a number/],
    ['redis://h/1abc', /database is a number/],
    ['redis://h/0/1', /database is a number/],
    ['redis://h?password=secret', /only option is \?family=/],
    ['redis://h?family=5', /only option is \?family=/],
    ['redis://h#fragment', /%23/],
    ['redis://ho,st', /host/],
    ['unix://run/redis.sock', /absolute path/],
    ['unix:///run/redis.sock?db=x', /database is a number/],
  ])('%j is refused for its reason', (url, reason) => {
    const message = messageOf(url);
    expect(message).toMatch(/^expected a URL like redis:\/\/127\.0\.0\.1:6379/);
    expect(message).toMatch(reason);
    expect(message).not.toContain('secret');
  });
});

test('two URLs name the same Redis if hosts, order, login and database are the same', () => {
  expect(isSameRedis('redis://h', 'redis://h:6379/0')).toBe(true);
  expect(isSameRedis('redis+sentinel://s1,s2/p', 'redis+sentinel://s1:26379,s2/p/0')).toBe(true);
  expect(isSameRedis('redis://h', 'redis://h/1')).toBe(false);
  expect(isSameRedis('redis://h', 'redis://:secret@h')).toBe(false);
  expect(isSameRedis('redis://h1,redis://h2', 'redis://h2,redis://h1')).toBe(false);
});

function messageOf(url: string): string {
  try {
    return `accepted: ${JSON.stringify(parseRedisUrl(url))}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
