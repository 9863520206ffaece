/** Hosts and origins that a port answers to, in development and in production. */
import { describe, expect, test } from 'vitest';
import { createRequestSources, loadConfig } from '../src/index.js';

const STRONG = { NODE_ENV: 'production', HUBBUB_JWT_SECRET: 'Vn0yX2m4R1tKp8sQ3wEz6uHa9cJf5dLb' };
const sources = (environment: NodeJS.ProcessEnv = {}) => createRequestSources(loadConfig(environment));

const OWN = [
  'localhost:8080',
  '127.0.0.1:8080',
  '127.1.2.3',
  '[::1]:8080',
  'app.localhost',
  '192.0.2.7:8080',
  'LOCALHOST.',
  '',
];
const FOREIGN = [
  'evil.example:8080',
  'localhost.evil.example',
  '127.0.0.1.evil.example:8080',
  'evil.example@127.0.0.1',
  '0x7f.1',
  'localhost:8080:80',
  '[evil.example]',
];

describe('the Host header', () => {
  test('in development: this machine and addresses', () => {
    for (const host of OWN) expect(sources().hostProblem(host), host).toBeUndefined();
    for (const host of FOREIGN) expect(sources().hostProblem(host), host).toBeDefined();
  });

  test('names of the settings are allowed, * is every name', () => {
    const named = sources({ HUBBUB_ALLOWED_HOSTS: 'hub.test,edge-1', HUBBUB_HOST: 'dev.internal' });
    for (const host of ['hub.test:8080', 'HUB.test', 'edge-1', 'dev.internal'])
      expect(named.hostProblem(host)).toBeUndefined();
    expect(named.hostProblem('evil.example')).toBeDefined();
    expect(sources({ HUBBUB_ALLOWED_HOSTS: '*' }).hostProblem('evil.example')).toBeUndefined();
  });

  test('in production: every name, unless names are set', () => {
    expect(sources(STRONG).hostProblem('live.example.com')).toBeUndefined();
    const named = sources({ ...STRONG, HUBBUB_ALLOWED_HOSTS: 'live.example.com' });
    expect(named.hostProblem('live.example.com')).toBeUndefined();
    expect(named.hostProblem('10.0.0.7:8081')).toBeUndefined(); // A probe.
    expect(named.hostProblem('evil.example')).toBeDefined();
  });
});

describe('the Origin header, where no origins are set', () => {
  test.each([
    ['http://localhost:3000', '127.0.0.1:8080', true],
    ['http://127.0.0.1:3000', 'localhost:8080', true],
    ['https://app.localhost', 'localhost:8080', true],
    ['http://192.0.2.7:3000', '192.0.2.7:8080', true],
    ['http://192.0.2.8:3000', '192.0.2.7:8080', false],
    ['https://evil.example', '127.0.0.1:8080', false],
    ['http://localhost.evil.example', 'localhost:8080', false],
    ['null', '127.0.0.1:8080', false],
    ['chrome-extension://localhost', '127.0.0.1:8080', false],
    ['', '', false],
  ])('in development %s at %s: %s', (origin, host, allowed) => {
    expect(sources().isOriginAllowed(origin, host)).toBe(allowed);
  });

  test('in production: none', () => {
    expect(sources(STRONG).isOriginAllowed('http://localhost:3000', 'localhost')).toBe(false);
  });
});
