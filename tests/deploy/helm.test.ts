/** The Helm chart: linted, rendered by Helm, valid by the API server's schemas, and consistent with the settings. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, loadConfig } from '@hubbub/config';
import { parseRedisLocation } from '@hubbub/protocol';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { titleOf } from '../support/provision.js';
import {
  ALL,
  CHART,
  chartProgram,
  conformanceProblems,
  lint,
  REDIS_MODES,
  render,
  renderText,
} from './support/helm.js';
import { at, containerOf, listAt, type Manifest, named, workloadsOf } from './support/manifests.js';
import { deployFile } from './support/proxy.js';
import { makeSecrets } from './support/secrets.js';
import { labelsOf, namedPorts, namesInExpressions, selectorsIn } from './support/selectors.js';
import { unknownSettingsIn } from './support/settings.js';

const secrets = makeSecrets();

const manifests = chartProgram === undefined ? [] : render(ALL);
const deployments = manifests.filter(({ kind }) => kind === 'Deployment');

/** The settings that its process would load, with the image's variables and the mounted files. */
function configOf(manifest: Manifest): Config {
  const config = join(secrets, 'hubbub.yaml');
  writeFileSync(config, String(at(named('ConfigMap', 'hubbub-config', manifests).content, 'data', 'hubbub.yaml')));
  const own = listAt(containerOf(manifest), 'env').map(({ name, value }) => {
    if (name === 'HUBBUB_CONFIG') return [name, config];
    if (name === 'HUBBUB_NODE_ID') return [name, 'some-pod-1234'];
    return [String(name), String(value).replace('/run/secrets/hubbub', secrets)];
  });
  const image = { NODE_ENV: 'production', HUBBUB_HOST: '0.0.0.0', HUBBUB_ADMIN_HOST: '0.0.0.0' };
  const verifiesTokens = containerOf(manifest).name === 'edge';
  return loadConfig({ ...image, ...Object.fromEntries(own) }, { verifiesTokens });
}

/** The keys of the Secret that a workload mounts. */
function mountedKeys({ content }: Manifest): string[] {
  const volumes = listAt(content, 'spec', 'template', 'spec', 'volumes');
  return volumes.flatMap(volume => listAt(volume, 'secret', 'items').map(({ key }) => String(key))).sort();
}

describe.skipIf(chartProgram === undefined)(`the chart ${titleOf(chartProgram && 'Go', 'Go')}`, () => {
  test('helm lint reports nothing, and the values have a schema', () => {
    lint(ALL);
    expect(() => lint({ edge: { replica: 3 } })).toThrow(/replica.* not allowed/);
    expect(() => render({ edge: { replica: 3 } })).toThrow(/replica.* not allowed/);
    expect(() => render({ redis: { mode: 'sentinels' } })).toThrow(/redis.mode/);
    const console = { api: { enabled: false }, console: { enabled: true } };
    expect(() => render(console)).toThrow('console.enabled needs api.enabled');
  });

  test('rules and dashboards are those of deploy/', () => {
    const rules = parse(readFileSync(deployFile('prometheus/rules/hubbub.yml'), 'utf8'));
    expect(named('PrometheusRule', 'hubbub', manifests).content.spec).toEqual(rules);
    const dashboards = readdirSync(deployFile('grafana/dashboards'));
    expect(Object.keys(Object(named('ConfigMap', 'hubbub-dashboards', manifests).content.data)).sort()).toEqual(
      dashboards.sort(),
    );
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
      const preStopSeconds = Number(at(containerOf(manifest), 'lifecycle', 'preStop', 'sleep', 'seconds') ?? 0);
      const graceMs = 1000 * Number(at(pod, 'terminationGracePeriodSeconds'));
      expect(graceMs).toBeGreaterThan(1000 * preStopSeconds + config.shutdownTimeoutMs);
      expect(config.shutdownTimeoutMs).toBeGreaterThan(config.drainDelayMs + config.drainWindowMs);
    });

    test('of env keep numbers and flags as they are', () => {
      const env = { HUBBUB_MAX_SESSIONS: 1_000_000, HUBBUB_TRACE_RATIO: 0.5, HUBBUB_SHED_OVERLOAD: false };
      const edge = named('Deployment', 'hubbub-edge', render({ edge: { env } }));
      const given = listAt(containerOf(edge), 'env').filter(({ name }) => Object.hasOwn(env, String(name)));
      expect(given.map(({ name, value }) => [name, value]).sort()).toEqual([
        ['HUBBUB_MAX_SESSIONS', '1000000'],
        ['HUBBUB_SHED_OVERLOAD', 'false'],
        ['HUBBUB_TRACE_RATIO', '0.5'],
      ]);
    });

    test('of an edge let balancers notice that it leaves', () => {
      const edge = named('Deployment', 'hubbub-edge', manifests);
      const probe = at(containerOf(edge), 'readinessProbe');
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
      const deployment = named('Deployment', `hubbub-${role}`, manifests);
      const port = configOf(deployment)[setting];
      const find = (list: Record<string, unknown>[]) => list.find(entry => entry.name === portName);
      expect(find(listAt(containerOf(deployment), 'ports'))?.containerPort).toBe(port);
      const ofService = listAt(named('Service', `hubbub-${role}`, manifests).content, 'spec', 'ports');
      expect(find(ofService)).toMatchObject({ port, targetPort: portName });
    });
  });

  describe('the rollout of a release', () => {
    const imageOf = (role: string, values: object) =>
      containerOf(named('Deployment', `hubbub-${role}`, render({ ...ALL, ...values }))).image;

    test('goes role by role: the image of a role overrides that of all, by tag or digest', () => {
      const digest = `sha256:${'a'.repeat(64)}`;
      const upgrade = { image: { tag: '1.0.0' }, presence: { image: { tag: '1.1.0' } } };
      expect([imageOf('presence', upgrade), imageOf('edge', upgrade)]).toEqual(['hubbub:1.1.0', 'hubbub:1.0.0']);
      expect(imageOf('edge', { image: { tag: '1.0.0' }, edge: { image: { digest } } })).toBe(`hubbub@${digest}`);
      expect(imageOf('edge', { image: { digest }, edge: { image: { tag: '1.1.0' } } })).toBe('hubbub:1.1.0');
    });

    test('drains one edge at a time: the next one leaves when the one before may have ended', () => {
      const edge = named('Deployment', 'hubbub-edge', manifests);
      const { shutdownTimeoutMs } = configOf(edge);
      expect(at(edge.content, 'spec', 'strategy', 'rollingUpdate')).toEqual({ maxUnavailable: 0, maxSurge: 1 });
      expect(1000 * Number(at(edge.content, 'spec', 'minReadySeconds'))).toBeGreaterThanOrEqual(shutdownTimeoutMs);
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

  test('DNS queries may go to kube-system, and to NodeLocal DNSCache on the node', () => {
    const { content } = named('NetworkPolicy', 'hubbub-names', manifests);
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
    const { content } = named('HorizontalPodAutoscaler', 'hubbub-edge', manifests);
    const [sessions, cpu] = listAt(content, 'spec', 'metrics');
    const name = at(sessions, 'pods', 'metric', 'name');
    const adapter = parse(readFileSync(join(CHART, 'files/prometheus-adapter-values.yaml'), 'utf8'));
    expect(at(adapter, 'rules', 'custom', 0, 'name', 'as')).toBe(name);
    expect(readFileSync(new URL('../../apps/edge/src/metrics.ts', import.meta.url), 'utf8')).toContain(
      `'${String(name)}'`,
    );
    expect(at(cpu, 'resource', 'name')).toBe('cpu');
    expect(at(named('Deployment', 'hubbub-edge', manifests).content, 'spec')).not.toHaveProperty('replicas');
  });

  test('the targets of the autoscaler are those of the sizing table', () => {
    const [sessions, cpu] = listAt(
      named('HorizontalPodAutoscaler', 'hubbub-edge', manifests).content,
      'spec',
      'metrics',
    );
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

  test.each(REDIS_MODES)('kubeconform accepts every object with Redis: %s', mode => {
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

  test.each(REDIS_MODES)('with Redis %s, every workload runs without privileges and is spread', mode => {
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
      expect(containerOf(manifest).securityContext, manifest.name).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      if (manifest.kind === 'Job') continue;
      const labels = labelsOf(manifest.content);
      const spread = listAt(pod, 'topologySpreadConstraints');
      expect(
        spread.map(({ topologyKey }) => topologyKey),
        manifest.name,
      ).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
      for (const constraint of spread)
        expect(labels).toMatchObject(Object(at(constraint, 'labelSelector', 'matchLabels')));
    }
  });

  test.each(REDIS_MODES)('with Redis %s, every selector matches pods, and every named port exists', mode => {
    const all = render({ ...ALL, redis: { mode } });
    const pods = workloadsOf(all).map(({ content }) => labelsOf(content));
    const selectors = all.flatMap(({ content }) => selectorsIn(content));
    expect(selectors.length).toBeGreaterThan(20);
    const lost = selectors.filter(
      selector => !pods.some(labels => Object.entries(selector).every(([key, value]) => labels[key] === value)),
    );
    expect(lost).toEqual([]);
    const known = new Set(
      workloadsOf(all).flatMap(one => listAt(containerOf(one), 'ports').map(({ name }) => String(name))),
    );
    expect(all.flatMap(({ content }) => namedPorts(content)).filter(port => !known.has(port))).toEqual([]);
  });

  test('the names in the expressions of policies are those of roles and of Redis', () => {
    const all = REDIS_MODES.flatMap(mode => render({ ...ALL, redis: { mode } }));
    const names = new Set(workloadsOf(all).map(({ content }) => labelsOf(content)['app.kubernetes.io/name']));
    const inExpressions = new Set(all.flatMap(({ content }) => namesInExpressions(content)));
    expect(inExpressions.size).toBeGreaterThan(5);
    expect([...inExpressions].filter(name => !names.has(name))).toEqual([]);
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
      const { args, readinessProbe } = containerOf(manifest);
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
