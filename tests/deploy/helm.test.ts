/** The Helm chart: linted, rendered by Helm, valid by the API server's schemas, and consistent with the settings. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '@hubbub/config';
import { parseRedisLocation } from '@hubbub/protocol';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { titleOf } from '../support/provision.js';
import { CHART, conformanceProblems, helm, render, renderText, runHelm, VERSION } from './support/helm.js';
import { at, isRecord, listAt, type Manifest } from './support/manifests.js';
import { deployFile } from './support/proxy.js';
import { unknownSettingsIn } from './support/settings.js';

const MODES = ['external', 'single', 'sentinel', 'cluster'] as const;
const WEBHOOKS = { shop: { url: 'https://shop.example.com/hubbub', lifecycle: ['room_occupied'] } };
/** Everything that the chart has. */
const ALL = {
  config: { webhooks: WEBHOOKS },
  edge: { autoscaling: { enabled: true } },
  api: { mintsTokens: true },
  webhooks: { enabled: true },
  console: { enabled: true },
  ingress: { enabled: true },
  monitoring: { podMonitor: true, rules: true, dashboards: true },
};

const secrets = mkdtempSync(join(tmpdir(), 'hubbub-chart-'));
execFileSync(deployFile('make-secrets.sh'), [secrets]);
afterAll(() => rmSync(secrets, { recursive: true }));

const manifests = helm === undefined ? [] : render(ALL);
const deployments = manifests.filter(({ kind }) => kind === 'Deployment');

function named(kind: string, name: string, of = manifests): Manifest {
  const found = of.find(manifest => manifest.kind === kind && manifest.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}.`);
  return found;
}

function workloadsOf(of: readonly Manifest[]): Manifest[] {
  return of.filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind));
}

function container({ content }: Manifest): Record<string, unknown> {
  const [first] = listAt(content, 'spec', 'template', 'spec', 'containers');
  if (first === undefined) throw new Error('A workload without a container.');
  return first;
}

/** The settings that its process would load, with the image's variables and the mounted files. */
function configOf(manifest: Manifest, of = manifests): Config {
  const config = join(secrets, 'hubbub.yaml');
  writeFileSync(config, String(at(named('ConfigMap', 'hubbub-config', of).content, 'data', 'hubbub.yaml')));
  const own = listAt(container(manifest), 'env').map(({ name, value }) => {
    if (name === 'HUBBUB_CONFIG') return [name, config];
    if (name === 'HUBBUB_NODE_ID') return [name, 'some-pod-1234'];
    return [String(name), String(value).replace('/run/secrets/hubbub', secrets)];
  });
  const image = { NODE_ENV: 'production', HUBBUB_HOST: '0.0.0.0', HUBBUB_ADMIN_HOST: '0.0.0.0' };
  const verifiesTokens = container(manifest).name === 'edge';
  return loadConfig({ ...image, ...Object.fromEntries(own) }, { verifiesTokens });
}

/** The keys of the Secret that a workload mounts. */
function mountedKeys({ content }: Manifest): string[] {
  const volumes = listAt(content, 'spec', 'template', 'spec', 'volumes');
  return volumes.flatMap(volume => listAt(volume, 'secret', 'items').map(({ key }) => String(key))).sort();
}

describe.skipIf(helm === undefined)(`the chart ${titleOf(helm && 'Go', 'Go')}`, () => {
  test('helm lint reports nothing, and the values have a schema', () => {
    expect(runHelm(['lint', CHART, '--strict', ...VERSION], ALL)).toMatchObject({ status: 0 });
    expect(runHelm(['template', 'hubbub', CHART, ...VERSION], { edge: { replica: 3 } }).errors).toMatch(
      /replica.* not allowed/,
    );
    expect(runHelm(['template', 'hubbub', CHART, ...VERSION], { redis: { mode: 'sentinels' } }).errors).toMatch(
      /redis.mode/,
    );
    expect(
      runHelm(['template', 'hubbub', CHART, ...VERSION], { api: { enabled: false }, console: { enabled: true } })
        .errors,
    ).toContain('console.enabled needs api.enabled');
  });

  test.each(MODES)('kubeconform accepts every object with Redis: %s', mode => {
    const text = renderText({ ...ALL, redis: { mode } });
    expect(text.match(/^kind: /gm)?.length).toBeGreaterThan(20);
    expect(conformanceProblems(text)).toEqual([]);
    expect(conformanceProblems(renderText({ redis: { mode } }))).toEqual([]);
  });

  test.each([
    ['a misspelled field', 'readinessProbe:', 'readinesProbe:', 'readinesProbe'],
    ['a number that is text', 'maxSurge: 1', 'maxSurge: true', 'maxSurge'],
    ['a kind of another version', 'policy/v1', 'policy/v1beta1', 'could not find schema'],
  ])('kubeconform detects %s', (_what, from, to, notice) => {
    expect(conformanceProblems(renderText().replace(from, to)).join('\n')).toContain(notice);
  });

  test('rules and dashboards are those of deploy/', () => {
    const rules = parse(readFileSync(deployFile('prometheus/rules/hubbub.yml'), 'utf8'));
    expect(named('PrometheusRule', 'hubbub').content.spec).toEqual(rules);
    const dashboards = readdirSync(deployFile('grafana/dashboards'));
    expect(Object.keys(Object(named('ConfigMap', 'hubbub-dashboards').content.data)).sort()).toEqual(dashboards.sort());
    const bytes = dashboards.map(name => statSync(deployFile(`grafana/dashboards/${name}`)).size);
    // etcd takes 1 MiB in one object.
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_000_000);
  });

  describe('the settings', () => {
    test('that it names exist', () => {
      // Alerts name settings by their beginning, too.
      expect(unknownSettingsIn(renderText({ ...ALL, monitoring: {} }))).toEqual([]);
    });

    test.each(deployments)('of $name start a process, and leave it enough time to stop', manifest => {
      const config = configOf(manifest);
      expect(config.production).toBe(true);
      const pod = at(manifest.content, 'spec', 'template', 'spec');
      const preStopSeconds = Number(at(container(manifest), 'lifecycle', 'preStop', 'sleep', 'seconds') ?? 0);
      const graceMs = 1000 * Number(at(pod, 'terminationGracePeriodSeconds'));
      expect(graceMs).toBeGreaterThan(1000 * preStopSeconds + config.shutdownTimeoutMs);
      expect(config.shutdownTimeoutMs).toBeGreaterThan(config.drainDelayMs + config.drainWindowMs);
    });

    test('of an edge let balancers notice that it leaves', () => {
      const edge = named('Deployment', 'hubbub-edge');
      const probe = at(container(edge), 'readinessProbe');
      const seenAfterMs = 1000 * Number(at(probe, 'periodSeconds')) * Number(at(probe, 'failureThreshold'));
      expect(configOf(edge).drainDelayMs).toBeGreaterThan(seenAfterMs);
    });

    test.each([
      ['edge', 'clients', 'port'],
      ['edge', 'admin', 'adminPort'],
      ['presence', 'admin', 'adminPort'],
      ['api', 'api', 'apiPort'],
      ['console', 'console', 'consolePort'],
    ] as const)('%s: the port %s is the setting %s, in the Service too', (role, portName, setting) => {
      const deployment = named('Deployment', `hubbub-${role}`);
      const port = configOf(deployment)[setting];
      const find = (list: Record<string, unknown>[]) => list.find(entry => entry.name === portName);
      expect(find(listAt(container(deployment), 'ports'))?.containerPort).toBe(port);
      const ofService = listAt(named('Service', `hubbub-${role}`).content, 'spec', 'ports');
      expect(find(ofService)).toMatchObject({ port, targetPort: portName });
    });
  });

  test('each role mounts its own secrets alone, as files', () => {
    expect(Object.fromEntries(deployments.map(one => [one.name, mountedKeys(one)]))).toEqual({
      'hubbub-edge': ['jwt-accepted-secrets', 'jwt-secret', 'redis-url-edge'],
      'hubbub-presence': ['presence-api-keys', 'redis-url-presence'],
      'hubbub-api': ['api-keys', 'jwt-secret', 'presence-api-keys', 'redis-url-api'],
      'hubbub-webhooks': ['redis-url-webhooks', 'webhook-secrets'],
      'hubbub-console': [],
    });
    expect(mountedKeys(named('Deployment', 'hubbub-api', render()))).not.toContain('jwt-secret');
    const texts = deployments.map(({ content }) => JSON.stringify(content));
    expect(texts.filter(text => text.includes('secretKeyRef'))).toEqual([]);
    const keys = new Set(readdirSync(secrets));
    expect(deployments.flatMap(mountedKeys).filter(key => !keys.has(key))).toEqual([]);
  });

  test.each(MODES)('with Redis %s, every workload runs without privileges and is spread', mode => {
    for (const manifest of workloadsOf(render({ ...ALL, redis: { mode } }))) {
      const pod = at(manifest.content, 'spec', 'template', 'spec');
      expect(at(pod, 'enableServiceLinks'), manifest.name).toBe(false);
      expect(at(pod, 'automountServiceAccountToken'), manifest.name).toBe(false);
      // The files of a Secret belong to root and the group.
      expect(at(pod, 'securityContext'), manifest.name).toMatchObject({
        runAsNonRoot: true,
        fsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container(manifest).securityContext, manifest.name).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      if (manifest.kind === 'Job') continue;
      const labels = at(manifest.content, 'spec', 'template', 'metadata', 'labels');
      const spread = listAt(pod, 'topologySpreadConstraints');
      expect(
        spread.map(({ topologyKey }) => topologyKey),
        manifest.name,
      ).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
      for (const constraint of spread)
        expect(labels).toMatchObject(Object(at(constraint, 'labelSelector', 'matchLabels')));
    }
  });

  test.each(MODES)('with Redis %s, every selector matches pods, and every named port exists', mode => {
    const all = render({ ...ALL, redis: { mode } });
    const pods = workloadsOf(all).map(({ content }) => Object(at(content, 'spec', 'template', 'metadata', 'labels')));
    const selectors = all.flatMap(({ content }) => selectorsIn(content));
    expect(selectors.length).toBeGreaterThan(20);
    const lost = selectors.filter(
      selector => !pods.some(labels => Object.entries(selector).every(([key, value]) => labels[key] === value)),
    );
    expect(lost).toEqual([]);
    const known = new Set(
      workloadsOf(all).flatMap(one => listAt(container(one), 'ports').map(({ name }) => String(name))),
    );
    expect(all.flatMap(({ content }) => namedPorts(content)).filter(port => !known.has(port))).toEqual([]);
  });

  test('names are asked of pods of the cluster, and of NodeLocal DNSCache on the node', () => {
    const { content } = named('NetworkPolicy', 'hubbub-names');
    expect(listAt(content, 'spec', 'egress')).toEqual([
      {
        to: [
          { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
          { ipBlock: { cidr: '169.254.20.10/32' } },
        ],
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
    ]);
  });

  test('the autoscaler uses a metric of edges, and owns their number', () => {
    const { content } = named('HorizontalPodAutoscaler', 'hubbub-edge');
    const [sessions, cpu] = listAt(content, 'spec', 'metrics');
    const name = at(sessions, 'pods', 'metric', 'name');
    const adapter = parse(readFileSync(join(CHART, 'files/prometheus-adapter-values.yaml'), 'utf8'));
    expect(at(adapter, 'rules', 'custom', 0, 'name', 'as')).toBe(name);
    expect(readFileSync(new URL('../../apps/edge/src/metrics.ts', import.meta.url), 'utf8')).toContain(
      `'${String(name)}'`,
    );
    expect(at(cpu, 'resource', 'name')).toBe('cpu');
    expect(at(named('Deployment', 'hubbub-edge').content, 'spec')).not.toHaveProperty('replicas');
  });

  test('the targets of the autoscaler are those of the sizing table', () => {
    const [sessions, cpu] = listAt(named('HorizontalPodAutoscaler', 'hubbub-edge').content, 'spec', 'metrics');
    const page = readFileSync(new URL('../../docs/capacity.md', import.meta.url), 'utf8');
    const row = (resource: string): number[] => {
      const [, cells = ''] = new RegExp(`^\\| ${resource} +\\|(.*)$`, 'm').exec(page) ?? [];
      return cells.split('|').map(cell => Number.parseFloat(cell.replace(/,/g, '')));
    };
    expect(Number(at(sessions, 'pods', 'target', 'averageValue'))).toBe((row('sessions of an edge')[0] ?? 0) * (2 / 3));
    expect(Number(at(cpu, 'resource', 'target', 'averageUtilization'))).toBe(
      100 * (row('processor of an edge')[1] ?? 0),
    );
  });

  test.each(['sentinel', 'cluster'] as const)('with Redis %s, scripts and checks name pods that exist', mode => {
    const all = render({ redis: { mode } });
    const sets = all.filter(({ kind }) => kind === 'StatefulSet');
    const pods = sets.flatMap(({ name, content }) => {
      const [port] = listAt(content, 'spec', 'template', 'spec', 'containers', 0, 'ports');
      const count = Number(at(content, 'spec', 'replicas'));
      const host = String(at(content, 'spec', 'serviceName'));
      return Array.from({ length: count }, (_, pod) => `${name}-${pod}.${host}:${String(port?.containerPort)}`);
    });
    expect(pods).toHaveLength(6);
    const words = [...sets, ...all.filter(({ kind }) => kind === 'Job')].flatMap(manifest => {
      const { args, readinessProbe } = container(manifest);
      return [args, at(readinessProbe, 'exec', 'command')].flat().map(word => String(word ?? ''));
    });
    const addresses = words.filter(word => /:\d+$/.test(word) && !word.startsWith('127.0.0.1:'));
    expect(addresses.length).toBeGreaterThan(5);
    const known = [...pods, ...pods.map(pod => pod.replace(/^[\w-]+-\d\./, '$(POD_NAME).'))];
    expect(addresses.filter(address => !known.includes(address))).toEqual([]);
    const scripts = words.filter(word => word.startsWith('/scripts/')).map(word => word.slice('/scripts/'.length));
    expect(Object.keys(Object(named('ConfigMap', 'hubbub-redis-scripts', all).content.data))).toEqual(
      expect.arrayContaining(scripts),
    );
    const page = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8');
    const [, url = ''] = new RegExp(`(redis\\+${mode}://USER\\S+hubbub-redis\\S+?)[\`']`).exec(page) ?? [];
    const location = parseRedisLocation(url);
    const hosts = 'nodes' in location ? location.nodes : 'sentinels' in location ? location.sentinels : [];
    expect(hosts.length, url).toBeGreaterThan(2);
    expect(hosts.filter(({ host, port }) => !pods.includes(`${host}:${port}`))).toEqual([]);
  });
});

/** The labels that Services, budgets and policies select pods of this release by. */
function selectorsIn(value: unknown): Record<string, string>[] {
  if (Array.isArray(value)) return value.flatMap(selectorsIn);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'podSelector' || key === 'selector') {
      const labels = isRecord(inner) && isRecord(inner.matchLabels) ? inner.matchLabels : inner;
      const ours = isRecord(labels) && 'app.kubernetes.io/name' in labels;
      return ours ? [labels as Record<string, string>] : [];
    }
    return selectorsIn(inner);
  });
}

/** Every port that is referenced by name. */
function namedPorts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namedPorts);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if ((key === 'port' || key === 'targetPort') && typeof inner === 'string') return [inner];
    if (key === 'port' && isRecord(inner) && typeof inner.name === 'string') return [inner.name];
    return namedPorts(inner);
  });
}
