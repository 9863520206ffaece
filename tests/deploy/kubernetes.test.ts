/** The Kubernetes manifests: valid by the API server's schemas, and consistent with each other and with the settings. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { loadConfig, missingWebhookSecrets } from '@hubbub/config';
import { parseRedisLocation } from '@hubbub/protocol';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { kubernetesRules } from '../../scripts/kubernetes-rules.mjs';
import {
  at,
  isRecord,
  KUBERNETES,
  listAt,
  type Manifest,
  manifestsOf,
  parseManifests,
  problemsOf,
  yamlFiles,
} from './support/manifests.js';
import { deployFile } from './support/proxy.js';
import { unknownSettingsIn } from './support/settings.js';

const KUSTOMIZATION = 'kustomization.yaml';
/** Files that are not for the API server. */
const OTHER_FILES = ['base/hubbub.yaml', 'components/autoscaling/prometheus-adapter-values.yaml'];

const REDIS_COMPONENTS = ['components/redis-sentinel', 'components/redis-cluster'];
/** Lines of the production overlay that are comments until somebody chooses them. */
const OPTIONAL_COMPONENTS = ['components/webhooks', ...REDIS_COMPONENTS];

const files = yamlFiles();
const manifests = files
  .filter(file => !file.endsWith(KUSTOMIZATION) && !OTHER_FILES.includes(file))
  .flatMap(file => manifestsOf(file));
const workloads = manifests.filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind));
const deployments = manifests.filter(({ kind, name }) => kind === 'Deployment' && name.startsWith('hubbub-'));
const configFile = join(KUBERNETES, 'base/hubbub.yaml');

function named(kind: string, name: string): Manifest {
  const found = manifests.find(manifest => manifest.kind === kind && manifest.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}.`);
  return found;
}

function container({ content }: Manifest): Record<string, unknown> {
  const [first] = listAt(content, 'spec', 'template', 'spec', 'containers');
  if (first === undefined) throw new Error('A workload without a container.');
  return first;
}

describe('the schemas', () => {
  test('accept every object', () => {
    expect(manifests.length).toBeGreaterThan(15);
    expect(manifests.flatMap(problemsOf)).toEqual([]);
  });

  test.each([
    ['a misspelled field', 'readinessProbe:', 'readinesProbe:', 'readinesProbe'],
    ['a number that is text', 'replicas: 2', 'replicas: "two"', '/spec/replicas'],
    [
      'a field in the wrong place',
      'minReadySeconds: 10',
      'terminationGracePeriodSeconds: 10',
      'terminationGracePeriodSeconds',
    ],
    ['a missing selector', / {2}selector:\n {4}matchLabels: \*labels\n/, '', 'selector'],
    ['a kind of another version', 'policy/v1', 'policy/v1beta1', 'no schema for policy/v1beta1'],
  ])('detect %s', (_what, from, to, notice) => {
    const text = readFileSync(join(KUBERNETES, 'base/edge.yaml'), 'utf8');
    const broken = text.replace(from, to);
    expect(broken).not.toBe(text);
    expect(parseManifests(broken, 'broken').flatMap(problemsOf).join('\n')).toContain(notice);
  });

  test('every file is part of a kustomization, and every part exists', () => {
    const production = readFileSync(join(KUBERNETES, 'overlays/production', KUSTOMIZATION), 'utf8');
    const optional = [...production.matchAll(/# - \.\.\/\.\.\/(\S+)/g)].map(([, part = '']) => part);
    expect(optional).toEqual(OPTIONAL_COMPONENTS);
    const parts = files
      .filter(file => file.endsWith(KUSTOMIZATION))
      .flatMap(file => {
        const content: unknown = parse(readFileSync(join(KUBERNETES, file), 'utf8'));
        const resources = [at(content, 'resources'), at(content, 'components')].flatMap(list =>
          Array.isArray(list) ? list : [],
        );
        const generated = listAt(content, 'configMapGenerator').flatMap(({ files: named }) =>
          Array.isArray(named) ? named : [],
        );
        return [...resources, ...generated].map(part => normalize(join(dirname(file), String(part))));
      });
    const asFiles = parts.map(part => (/\.\w+$/.test(part) ? part : join(part, KUSTOMIZATION)));
    expect(asFiles.filter(part => !existsSync(join(KUBERNETES, part)))).toEqual([]);
    const roots = ['overlays/production', 'overlays/try-out', ...optional].map(root => join(root, KUSTOMIZATION));
    const alone = ['base/secret.example.yaml', 'components/autoscaling/prometheus-adapter-values.yaml'];
    expect(files.filter(file => !asFiles.includes(file) && !roots.includes(file) && !alone.includes(file))).toEqual([]);
  });
});

describe('monitoring', () => {
  test('rules.yaml is the output of npm run kubernetes-rules', () => {
    const rules = parse(readFileSync(deployFile('prometheus/rules/hubbub.yml'), 'utf8'));
    expect(named('PrometheusRule', 'hubbub').content.spec).toEqual(rules);
    expect(readFileSync(join(KUBERNETES, 'components/monitoring/rules.yaml'), 'utf8')).toBe(kubernetesRules());
  });

  test('the ConfigMap of dashboards has every dashboard, and fits', () => {
    const [generator] = listAt(
      parse(readFileSync(deployFile('grafana/kustomization.yaml'), 'utf8')),
      'configMapGenerator',
    );
    const dashboards = readdirSync(deployFile('grafana/dashboards'));
    expect(generator?.files).toEqual(dashboards.map(name => `dashboards/${name}`));
    const bytes = dashboards.map(name => statSync(deployFile(`grafana/dashboards/${name}`)).size);
    // etcd takes 1 MiB in one object.
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_000_000);
  });
});

describe('the settings', () => {
  test('that the manifests name exist', () => {
    const texts = files.map(file => readFileSync(join(KUBERNETES, file), 'utf8'));
    expect(texts.flatMap(unknownSettingsIn)).toEqual([]);
    expect(unknownSettingsIn('HUBBUB_PORT HUBBUB_PROT')).toEqual(['HUBBUB_PROT']);
  });

  test.each(deployments)('of $name start a process', manifest => {
    const config = loadConfig(environmentOf(manifest));
    expect(config.production).toBe(true);
    expect(config.host).toBe('0.0.0.0');
  });

  test('start every process where the file has webhooks, whose secrets hubbub-webhooks alone has', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hubbub-config-'));
    const file = join(folder, 'hubbub.yaml');
    const webhooks = 'webhooks: { shop: { url: https://shop.example.com/hubbub, lifecycle: [room_vacated] } }\n';
    writeFileSync(file, readFileSync(configFile, 'utf8') + webhooks);
    const configs = deployments.map(({ name, ...manifest }) => ({
      name,
      config: loadConfig({ ...environmentOf({ name, ...manifest }), HUBBUB_CONFIG: file }),
    }));
    rmSync(folder, { recursive: true });
    const signing = configs.filter(({ config }) => missingWebhookSecrets(config).length === 0);
    expect(signing.map(({ name }) => name)).toEqual(['hubbub-webhooks']);
  });

  test.each(deployments)('of $name leave it enough time to stop', manifest => {
    const config = loadConfig(environmentOf(manifest));
    const pod = at(manifest.content, 'spec', 'template', 'spec');
    const preStopSeconds = Number(at(container(manifest), 'lifecycle', 'preStop', 'sleep', 'seconds') ?? 0);
    const graceMs = 1000 * Number(at(pod, 'terminationGracePeriodSeconds'));
    expect(graceMs).toBeGreaterThan(1000 * preStopSeconds + config.shutdownTimeoutMs);
    expect(config.shutdownTimeoutMs).toBeGreaterThan(config.drainDelayMs + config.drainWindowMs);
  });

  test('of an edge let balancers notice that it leaves', () => {
    const config = loadConfig(environmentOf(named('Deployment', 'hubbub-edge')));
    const probe = at(container(named('Deployment', 'hubbub-edge')), 'readinessProbe');
    const seenAfterMs = 1000 * Number(at(probe, 'periodSeconds')) * Number(at(probe, 'failureThreshold'));
    expect(config.drainDelayMs).toBeGreaterThan(seenAfterMs);
  });
});

describe('the ports', () => {
  test.each([
    ['hubbub-edge', 'clients', 'port'],
    ['hubbub-edge', 'admin', 'adminPort'],
    ['hubbub-presence', 'admin', 'adminPort'],
    ['hubbub-api', 'api', 'apiPort'],
    ['hubbub-api', 'admin', 'adminPort'],
  ] as const)('%s: %s is the setting %s, in the Service too', (name, portName, setting) => {
    const deployment = named('Deployment', name);
    const port = loadConfig(environmentOf(deployment))[setting];
    const find = (list: Record<string, unknown>[]) => list.find(entry => entry.name === portName);
    expect(find(listAt(container(deployment), 'ports'))?.containerPort).toBe(port);
    expect(find(listAt(named('Service', name).content, 'spec', 'ports'))).toMatchObject({ port, targetPort: portName });
  });

  test('that Services, Ingress, monitor, probes and policies name exist', () => {
    const known = new Set(
      workloads.flatMap(manifest => listAt(container(manifest), 'ports').map(({ name }) => String(name))),
    );
    const asked = manifests.flatMap(({ content }) => namedPorts(content));
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.filter(port => !known.has(port))).toEqual([]);
  });
});

test('every label selector matches pods', () => {
  const podLabels = workloads.map(({ content }) => at(content, 'spec', 'template', 'metadata', 'labels'));
  const nameOf = (selector: unknown) => at(selector, 'app.kubernetes.io/name');
  const chosen = manifests.flatMap(({ kind, content }) => {
    if (kind === 'Service') return [nameOf(at(content, 'spec', 'selector'))];
    if (kind === 'PodDisruptionBudget') return [nameOf(at(content, 'spec', 'selector', 'matchLabels'))];
    if (kind === 'NetworkPolicy') return [nameOf(at(content, 'spec', 'podSelector', 'matchLabels'))];
    return [];
  });
  const names = podLabels.map(nameOf);
  expect(chosen.filter(name => name !== undefined).length).toBeGreaterThan(8);
  expect(chosen.filter(name => name !== undefined && !names.includes(name))).toEqual([]);
});

test('the autoscaler uses a metric of edges, on an existing Deployment', async () => {
  const { content } = named('HorizontalPodAutoscaler', 'hubbub-edge');
  const metrics = listAt(content, 'spec', 'metrics');
  const metric = metrics.find(({ type }) => type === 'Pods');
  const name = at(metric, 'pods', 'metric', 'name');
  const adapter = readFileSync(join(KUBERNETES, 'components/autoscaling/prometheus-adapter-values.yaml'), 'utf8');
  expect(at(parse(adapter), 'rules', 'custom', 0, 'name', 'as')).toBe(name);
  expect(readFileSync(new URL('../../apps/edge/src/metrics.ts', import.meta.url), 'utf8')).toContain(
    `'${String(name)}'`,
  );
  expect(named('Deployment', String(at(content, 'spec', 'scaleTargetRef', 'name'))).file).toBe('base/edge.yaml');
});

test('the targets of the autoscaler are those of the sizing table', () => {
  const { content } = named('HorizontalPodAutoscaler', 'hubbub-edge');
  const [cpu, sessions] = listAt(content, 'spec', 'metrics');
  const page = readFileSync(new URL('../../docs/capacity.md', import.meta.url), 'utf8');
  const row = (resource: string): number[] => {
    const [, cells = ''] = new RegExp(`^\\| ${resource} +\\|(.*)$`, 'm').exec(page) ?? [];
    return cells.split('|').map(cell => Number.parseFloat(cell.replace(/,/g, '')));
  };
  expect(Number(at(sessions, 'pods', 'target', 'averageValue'))).toBe((row('sessions of an edge')[0] ?? 0) * (2 / 3));
  expect(Number(at(cpu, 'resource', 'target', 'averageUtilization'))).toBe(100 * (row('processor of an edge')[1] ?? 0));
});

describe.each(REDIS_COMPONENTS)('%s', folder => {
  const own = workloads.filter(({ file }) => file.startsWith(`${folder}/`));
  const pods = own
    .filter(({ kind }) => kind === 'StatefulSet')
    .flatMap(manifest => {
      const { name, content } = manifest;
      const host = at(content, 'spec', 'serviceName');
      const [port] = listAt(container(manifest), 'ports');
      const count = Number(at(content, 'spec', 'replicas'));
      return Array.from({ length: count }, (_, pod) => `${name}-${pod}.${String(host)}:${String(port?.containerPort)}`);
    });

  test('scripts and checks name pods that exist, by files of the ConfigMap', () => {
    expect(pods.length).toBeGreaterThan(5);
    const words = own.flatMap(manifest => {
      const { args, readinessProbe } = container(manifest);
      return [args, at(readinessProbe, 'exec', 'command')].flat().map(word => String(word ?? ''));
    });
    const addresses = words.filter(word => /:\d+$/.test(word) && !word.startsWith('127.0.0.1:'));
    expect(addresses.length).toBeGreaterThan(5);
    const known = [...pods, ...pods.map(pod => pod.replace(/^[\w-]+-\d\./, '$(POD_NAME).'))];
    expect(addresses.filter(address => !known.includes(address))).toEqual([]);
    const scripts = words.filter(word => word.startsWith('/scripts/')).map(word => word.slice('/scripts/'.length));
    expect(scripts.length).toBeGreaterThan(2);
    const { configMapGenerator } = parse(readFileSync(join(KUBERNETES, 'components/redis', KUSTOMIZATION), 'utf8'));
    expect(scripts.filter(script => !configMapGenerator[0].files.includes(script))).toEqual([]);
  });

  test('the URL in its file leads to pods that exist', () => {
    const text = readFileSync(join(KUBERNETES, folder, KUSTOMIZATION), 'utf8');
    const [, url = ''] = /HUBBUB_REDIS_URL=(\S+)/.exec(text) ?? [];
    const location = parseRedisLocation(url);
    const hosts = 'nodes' in location ? location.nodes : 'sentinels' in location ? location.sentinels : [];
    expect(hosts.length).toBeGreaterThan(2);
    expect(hosts.filter(({ host, port }) => !pods.includes(`${host}:${port}`))).toEqual([]);
  });
});

test.each(workloads)('$name of $file runs without privileges', manifest => {
  const pod = at(manifest.content, 'spec', 'template', 'spec');
  // A Service called hubbub would set variables such as HUBBUB_PORT.
  expect(at(pod, 'enableServiceLinks')).toBe(false);
  expect(at(pod, 'securityContext')).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect(at(pod, 'automountServiceAccountToken')).toBe(false);
  expect(container(manifest).securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

/** The environment in the container: the image's variables, literals, a secret for each reference, and the mounted file. */
function environmentOf(manifest: Manifest): Record<string, string> {
  const own = listAt(container(manifest), 'env').map(({ name, value, valueFrom }) => {
    if (name === 'HUBBUB_CONFIG') return [name, configFile];
    const secret = at(valueFrom, 'secretKeyRef', 'key');
    return [String(name), typeof value === 'string' ? value : secretFor(String(secret ?? name))];
  });
  const image = { NODE_ENV: 'production', HUBBUB_HOST: '0.0.0.0', HUBBUB_ADMIN_HOST: '0.0.0.0' };
  return { ...image, ...Object.fromEntries(own) };
}

/** The secrets that the script of the trial overlay makes: it must write all that the pods need. */
const secrets = generatedSecrets();

function generatedSecrets(): ReadonlyMap<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-secret-'));
  const file = join(folder, 'secret.env');
  execFileSync(join(KUBERNETES, 'overlays/try-out/make-secret.sh'), [file]);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  rmSync(folder, { recursive: true });
  return new Map(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

function secretFor(key: string): string {
  if (key === 'HUBBUB_NODE_ID') return 'some-pod-1234';
  const example = at(named('Secret', 'hubbub').content, 'stringData');
  const found = secrets.get(key);
  if (found === undefined || !isRecord(example) || !(key in example)) throw new Error(`No Secret has ${key}.`);
  return found;
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
