/** docker-compose.yml and what it mounts: valid by the schema of Compose, and of one mind with the settings. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@hubbub/runtime';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { at, describeError, isRecord, listAt, readSchema } from './support/manifests.js';
import { deployFile } from './support/proxy.js';
import { unknownSettingsIn } from './support/settings.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
const OURS = ['edge-1', 'edge-2', 'presence', 'api'];

const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(
  readSchema('compose-spec.json'),
);

function problemsOf(content: unknown): string[] {
  return validate(content) ? [] : (validate.errors ?? []).map(describeError);
}

function readCompose(compose = text): Record<string, unknown> {
  const content: unknown = parse(compose, { merge: true });
  if (!isRecord(content)) throw new Error('docker-compose.yml holds no object.');
  return content;
}

function service(name: string): Record<string, unknown> {
  const found = at(readCompose(), 'services', name);
  if (!isRecord(found)) throw new Error(`There is no service ${name}.`);
  return found;
}

describe('the schema', () => {
  test('holds', () => {
    expect(problemsOf(readCompose())).toEqual([]);
  });

  test.each([
    ['a misspelled key', 'stop_grace_period:', 'stop_grace:', 'stop_grace'],
    ['a port that is no port', 'ports: ["8080:8080"]', 'ports: { a: 1 }', '/services/haproxy/ports'],
    ['a health check with a wrong word', 'retries: 5', 'retrys: 5', 'retrys'],
  ])('would find %s', (_what, from, to, told) => {
    expect(text).toContain(from);
    expect(problemsOf(readCompose(text.replace(from, to))).join('\n')).toContain(told);
  });
});

describe('the processes', () => {
  test.each(OURS)('%s: its settings start it, and it has the time to stop', name => {
    const { environment, command, stop_grace_period } = service(name);
    const config = loadConfig({
      NODE_ENV: 'production',
      HUBBUB_HOST: '0.0.0.0',
      HUBBUB_ADMIN_HOST: '0.0.0.0',
      ...filledIn(environment),
    });
    expect(config.redisUrl).toBe('redis://redis:6379');
    expect(command).toEqual([name.replace(/-\d$/, '')]);
    expect(1000 * Number.parseInt(String(stop_grace_period), 10)).toBeGreaterThan(config.shutdownTimeoutMs);
  });

  test('settings that are named exist', () => {
    expect(unknownSettingsIn(text)).toEqual([]);
  });
});

describe('the files beside it', () => {
  test('that are mounted are there', () => {
    const services = Object.values(at(readCompose(), 'services') ?? {});
    const volumes = services.flatMap(one => at(one, 'volumes') ?? []).map(String);
    const mounted = volumes.filter(volume => volume.startsWith('./')).map(volume => volume.split(':')[0] ?? '');
    expect(mounted.length).toBeGreaterThan(2);
    expect(mounted.filter(path => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('name services and ports that there are', () => {
    const names = Object.keys(at(readCompose(), 'services') ?? {});
    const prometheus: unknown = parse(readFileSync(deployFile('prometheus/prometheus.yml'), 'utf8'));
    const targets = listAt(prometheus, 'scrape_configs').flatMap(job =>
      listAt(job, 'static_configs').flatMap(({ targets: list }) => (Array.isArray(list) ? list : [])),
    );
    const haproxy = readFileSync(deployFile('haproxy/haproxy.cfg'), 'utf8');
    const edges = [...haproxy.matchAll(/presetenv EDGE_\d "(.+)"/g)].map(([, address]) => address);
    const source: unknown = parse(readFileSync(deployFile('grafana/provisioning/datasources/prometheus.yml'), 'utf8'));
    const url = new URL(String(at(source, 'datasources', 0, 'url')));
    const hosts = [...targets, ...edges, url.host].map(address => String(address).split(':')[0] ?? '');
    expect(hosts.length).toBeGreaterThan(6);
    expect(hosts.filter(host => !names.includes(host))).toEqual([]);
    const { adminPort, port } = loadConfig({});
    expect(
      targets
        .filter(target => !String(target).startsWith('haproxy'))
        .every(target => String(target).endsWith(`:${adminPort}`)),
    ).toBe(true);
    expect(edges.every(address => address?.endsWith(`:${port}`))).toBe(true);
  });

  test('the example speaks on the channel of a room', async () => {
    const { Channels } = await import('@hubbub/protocol');
    const command = String(at(service('clock'), 'command', 2));
    expect(command).toContain(`'${new Channels('hubbub').room('clock')}'`);
  });
});

/** `${NAME:?told}` and `${NAME:-default}`, as Compose fills them in. */
function filledIn(environment: unknown): Record<string, string> {
  if (!isRecord(environment)) throw new Error('No environment.');
  const fill = (value: string) =>
    value
      .replace(/\$\{\w+:\?[^}]*\}/g, 'x'.repeat(48))
      .replace(/\$\{\w+:-([^}]*)\}/g, (_all, fallback: string) => fallback);
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, fill(String(value))]));
}
