/** docker-compose.yml, the files of `deploy/compose` and their mounts: valid by the schema of Compose, and consistent with the settings. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@hubbub/config';
import { parseRedisLocation } from '@hubbub/protocol';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readSettings } from '../../examples/service/settings.js';
import {
  composeText,
  environmentOf,
  publishedPorts,
  ROOT,
  readCompose,
  readVariant,
  secrets,
  secretsOf,
  service,
  VARIANTS,
  variantAddress,
  variantText,
} from './support/compose.js';
import { at, describeError, listAt, readSchema } from './support/manifests.js';
import { deployFile } from './support/proxy.js';
import { unknownSettingsIn } from './support/settings.js';

const OURS = ['edge-1', 'edge-2', 'presence', 'api', 'webhooks'];

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

  test.each(VARIANTS)('is satisfied by the file for %s, alone and on top', variant => {
    expect(problemsOf(readCompose(variantText(variant)))).toEqual([]);
    expect(problemsOf(readVariant(variant))).toEqual([]);
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

test('every image has an exact version, which Dependabot raises', () => {
  const composes = [readCompose(), ...VARIANTS.map(readVariant)];
  const images = composes.flatMap(compose => Object.values(at(compose, 'services') ?? {}).map(one => at(one, 'image')));
  const [, base] = /^ARG NODE_IMAGE=(.+)$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')) ?? [];
  const values: unknown = parse(readFileSync(deployFile('helm/hubbub/values.yaml'), 'utf8'));
  expect(at(values, 'redis', 'image')).toBe(service('redis').image);
  expect([...images, base].filter(image => !/:v?\d+\.\d+\.\d+(-|$)/.test(String(image)))).toEqual([]);
});

describe('the processes', () => {
  test.each(OURS)('%s: its settings start it, and its grace period is long enough', name => {
    const { command, stop_grace_period } = service(name);
    const image = { NODE_ENV: 'production', HUBBUB_HOST: '0.0.0.0', HUBBUB_ADMIN_HOST: '0.0.0.0' };
    const config = loadConfig({ ...image, ...environmentOf(name) }, { verifiesTokens: name.startsWith('edge') });
    expect(config.redisUrl).toMatch(new RegExp(`^redis://hubbub-${command}:[0-9a-f]+@redis:6379$`));
    expect(Object.keys(config.namespaces), 'the rooms of the example').toEqual(['chat']);
    expect(command).toEqual([name.replace(/-\d$/, '')]);
    expect(1000 * Number.parseInt(String(stop_grace_period), 10)).toBeGreaterThan(config.shutdownTimeoutMs);
  });

  test('each mounts its own secrets alone', () => {
    expect(Object.fromEntries([...OURS, 'chat', 'redis'].map(name => [name, secretsOf(name)]))).toEqual({
      'edge-1': ['redis-url-edge', 'jwt-secret', 'jwt-accepted-secrets'],
      'edge-2': ['redis-url-edge', 'jwt-secret', 'jwt-accepted-secrets'],
      presence: ['redis-url-presence', 'presence-api-keys'],
      api: ['redis-url-api', 'api-keys', 'presence-api-keys'],
      webhooks: ['redis-url-webhooks', 'webhook-secrets'],
      chat: ['redis-url-service', 'jwt-secret', 'presence-api-keys'],
      redis: ['users.acl', 'redis-password'],
    });
    const files = Object.entries(at(readCompose(), 'secrets') ?? {}).map(([name, secret]) => [
      name,
      at(secret, 'file'),
    ]);
    expect(files).toEqual(files.map(([name]) => [name, `\${SECRETS_FOLDER:-./secrets}/${name}`]));
    expect(files.map(([name]) => name).sort()).toEqual(readdirSync(secrets).sort());
  });

  test('the containers can read each secret, and on this machine only its owner opens the folder', () => {
    const modeOf = (path: string) => statSync(path).mode & 0o777;
    expect(modeOf(secrets)).toBe(0o700);
    for (const name of readdirSync(secrets)) expect([name, modeOf(join(secrets, name))]).toEqual([name, 0o644]);
  });

  test('every mounted secret is used', () => {
    for (const name of [...OURS, 'chat']) {
      const paths = Object.values(environmentOf(name));
      expect(secretsOf(name).filter(secret => !paths.includes(join(secrets, secret)))).toEqual([]);
    }
  });

  test('named settings exist', () => {
    expect(unknownSettingsIn(composeText)).toEqual([]);
  });
});

describe.each(VARIANTS)('with the file for %s on top', variant => {
  const compose = readVariant(variant);
  const servers = Object.keys(at(compose, 'services') ?? {}).filter(name => name.startsWith('redis'));
  const ofVariant = Object.keys(at(readCompose(variantText(variant)), 'services') ?? {});

  test('the address for the secrets names the servers that run', () => {
    const location = parseRedisLocation(variantAddress(variant));
    expect(location.topology).toBe(variant);
    const hosts = 'nodes' in location ? location.nodes : 'sentinels' in location ? location.sentinels : [];
    expect(hosts.length).toBeGreaterThan(2);
    for (const { host, port } of hosts)
      expect(JSON.stringify(service(host, compose).command)).toContain(`"${host}:${port}"`);
  });

  test('every address in commands and health checks is that of a service, and every server has an own volume', () => {
    const texts = ofVariant.map(name => JSON.stringify(service(name, compose)));
    const hosts = texts.flatMap(text => [...text.matchAll(/"([\w.-]+):\d+"/g)].map(([, host = '']) => host));
    expect(hosts.length).toBeGreaterThan(10);
    expect(hosts.filter(host => host !== '127.0.0.1' && !ofVariant.includes(host))).toEqual([]);
    const keepers = ofVariant.filter(name => /^(redis|sentinel)/.test(name));
    const data = keepers.map(name => String(at(service(name, compose), 'volumes', 0)).split(':')[0] ?? '');
    expect(new Set(data).size).toBe(keepers.length);
    expect(data.filter(name => !Object.keys(at(compose, 'volumes') ?? {}).includes(name))).toEqual([]);
    for (const name of keepers)
      expect(at(service(name, compose), 'command', 2)).toBe(`${name}:${name.startsWith('redis') ? 6379 : 26_379}`);
  });

  test('every server has the image, the settings and the users of the one Redis of docker-compose.yml', () => {
    for (const name of servers) {
      const { image, volumes, environment } = service(name, compose);
      expect([image, environment]).toEqual([service('redis').image, service('redis').environment]);
      expect(secretsOf(name, compose)).toEqual(secretsOf('redis'));
      expect(at(volumes, 1)).toBe(at(service('redis'), 'volumes', 1));
    }
  });

  test('every other container of Redis has the same image, and the password of the servers', () => {
    const helpers = ofVariant.filter(name => /^(sentinel|create)/.test(name));
    expect(helpers.length).toBeGreaterThan(0);
    for (const name of helpers) {
      const { image, environment } = service(name, compose);
      expect([image, environment], name).toEqual([service('redis').image, service('redis').environment]);
      expect(secretsOf(name, compose), name).toEqual(['redis-password']);
    }
  });
});

describe('the files beside it', () => {
  test('that are mounted exist', () => {
    const services = [readCompose(), ...VARIANTS.map(readVariant)].flatMap(compose =>
      Object.values(at(compose, 'services') ?? {}),
    );
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
    const presence = loadConfig(environmentOf('presence'), { verifiesTokens: false });
    expect(settings.presenceUrl).toBe(`http://presence:${presence.adminPort}`);
    expect(presence.presenceApiKeys).toContain(settings.presenceApiKey);
  });

  test('it writes only to memory', () => {
    expect(service('chat')).toMatchObject({ read_only: true, tmpfs: ['/tmp'], cap_drop: ['ALL'] });
  });
});
