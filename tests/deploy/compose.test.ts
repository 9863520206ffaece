/** docker-compose.yml and its mounts: valid by the schema of Compose, and consistent with the settings. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@hubbub/config';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readSettings } from '../../examples/service/settings.js';
import { composeText, environmentOf, publishedPorts, ROOT, readCompose, service } from './support/compose.js';
import { at, describeError, listAt, readSchema } from './support/manifests.js';
import { deployFile } from './support/proxy.js';
import { unknownSettingsIn } from './support/settings.js';

const OURS = ['edge-1', 'edge-2', 'presence', 'api'];

const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(
  readSchema('compose-spec.json'),
);

function problemsOf(content: unknown): string[] {
  return validate(content) ? [] : (validate.errors ?? []).map(describeError);
}

describe('the schema', () => {
  test('is satisfied', () => {
    expect(problemsOf(readCompose())).toEqual([]);
  });

  test.each([
    ['a misspelled key', 'stop_grace_period:', 'stop_grace:', 'stop_grace'],
    ['an invalid port', 'ports: ["8080:8080"]', 'ports: { a: 1 }', '/services/haproxy/ports'],
    ['a health check with a wrong word', 'retries: 5', 'retrys: 5', 'retrys'],
  ])('detects %s', (_what, from, to, notice) => {
    expect(composeText).toContain(from);
    expect(problemsOf(readCompose(composeText.replace(from, to))).join('\n')).toContain(notice);
  });
});

describe('the processes', () => {
  test.each(OURS)('%s: its settings start it, and its grace period is long enough', name => {
    const { command, stop_grace_period } = service(name);
    const config = loadConfig({
      NODE_ENV: 'production',
      HUBBUB_HOST: '0.0.0.0',
      HUBBUB_ADMIN_HOST: '0.0.0.0',
      ...environmentOf(name),
    });
    expect(config.redisUrl).toBe('redis://redis:6379');
    expect(Object.keys(config.namespaces), 'the rooms of the example').toEqual(['chat']);
    expect(command).toEqual([name.replace(/-\d$/, '')]);
    expect(1000 * Number.parseInt(String(stop_grace_period), 10)).toBeGreaterThan(config.shutdownTimeoutMs);
  });

  test('named settings exist', () => {
    expect(unknownSettingsIn(composeText)).toEqual([]);
  });
});

describe('the files beside it', () => {
  test('that are mounted exist', () => {
    const services = Object.values(at(readCompose(), 'services') ?? {});
    const volumes = services.flatMap(one => at(one, 'volumes') ?? []).map(String);
    const mounted = volumes.filter(volume => volume.startsWith('./')).map(volume => volume.split(':')[0] ?? '');
    expect(mounted.length).toBeGreaterThan(2);
    expect(mounted.filter(path => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('name existing services and ports', () => {
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
});

describe('the example', () => {
  const hub = loadConfig({ NODE_ENV: 'production', ...environmentOf('edge-1') });
  const settings = readSettings({ NODE_ENV: 'production', ...environmentOf('chat') });
  const [page] = publishedPorts('chat');

  test('is a stage of the Dockerfile, and one of the examples', () => {
    const { build, command } = service('chat');
    const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${String(at(build, 'target'))}$`, 'm'));
    expect(command).toEqual(['chat']);
    expect(String(hub.jwtSecret)).toBe(settings.jwtSecret);
  });

  test('the edges allow the origin of its page, which sends browsers to HAProxy', () => {
    expect(page?.inside).toBe(readSettings({}).port);
    expect(hub.allowedOrigins).toContain(`http://127.0.0.1:${page?.outside}`);
    expect(settings.edges).toEqual([`ws://127.0.0.1:${publishedPorts('haproxy')[0]?.outside}`]);
  });

  test('it asks presence at its address, with a key that presence accepts', () => {
    expect(settings.presenceUrl).toBe(`http://presence:${hub.adminPort}`);
    expect(hub.presenceApiKeys).toContain(settings.presenceApiKey);
  });

  test('it writes only to memory', () => {
    expect(service('chat')).toMatchObject({ read_only: true, tmpfs: ['/tmp'], cap_drop: ['ALL'] });
  });
});
