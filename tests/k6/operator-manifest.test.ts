/** The manifest for the k6 operator: a valid TestRun, consistent with the scenarios and with deploy/helm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@hubbub/config';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { scenarioNames } from '../../k6/runner/bundle.mjs';
import { K6_VERSION } from '../../k6/runner/k6-program.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The fields of a TestRun of k6.io/v1alpha1, by its custom resource definition: the API server drops or refuses others. */
const SPEC_FIELDS = [
  ...['args', 'arguments', 'cleanup', 'initializer', 'parallelism', 'paused', 'ports', 'quiet', 'runner', 'script'],
  ...['scuttle', 'separate', 'starter', 'testRunId', 'token'],
];
const POD_FIELDS = [
  ...[
    'affinity',
    'automountServiceAccountToken',
    'containerSecurityContext',
    'env',
    'envFrom',
    'image',
    'imagePullPolicy',
  ],
  ...[
    'imagePullSecrets',
    'initContainers',
    'livenessProbe',
    'metadata',
    'nodeSelector',
    'priorityClassName',
    'readinessProbe',
  ],
  ...[
    'resources',
    'securityContext',
    'serviceAccountName',
    'tolerations',
    'topologySpreadConstraints',
    'volumeMounts',
    'volumes',
  ],
];

const testRun = parse(read('deploy/k6-operator/test-run.yaml'));

test('it is a TestRun with known fields only', () => {
  expect(testRun).toMatchObject({ apiVersion: 'k6.io/v1alpha1', kind: 'TestRun' });
  expect(Object.keys(testRun.spec).filter(name => !SPEC_FIELDS.includes(name))).toEqual([]);
  for (const pod of ['runner', 'initializer']) {
    expect(Object.keys(testRun.spec[pod]).filter(name => !POD_FIELDS.includes(name))).toEqual([]);
  }
});

test('its values have the types that the operator accepts', () => {
  const { parallelism, separate, quiet, cleanup, arguments: words } = testRun.spec;
  expect(parallelism).toBeTypeOf('number');
  expect(separate).toBeTypeOf('boolean');
  expect(quiet, 'text, not a boolean').toBeTypeOf('string');
  expect(cleanup).toBe('post');
  expect(words).toBeTypeOf('string');
  for (const { name, value, valueFrom } of testRun.spec.runner.env) {
    expect(value === undefined ? valueFrom.secretKeyRef.key : value, name).toBeTypeOf('string');
  }
});

test('it runs an existing scenario, with settings that it reads, on the tested version of k6', () => {
  const scenario = testRun.spec.script.configMap.file.replace(/\.js$/, '');
  expect(scenarioNames()).toContain(scenario);
  const sources = read(`k6/scenarios/${scenario}.ts`) + read('k6/lib/settings.ts');
  for (const { name } of testRun.spec.runner.env) expect(sources, name).toContain(name);
  for (const pod of ['runner', 'initializer']) expect(testRun.spec[pod].image).toBe(`grafana/k6:${K6_VERSION}`);
});

test('it finds the edges of the chart, and the policy admits it', () => {
  const policy = parse(read('deploy/k6-operator/network-policy.yaml'));
  const url = testRun.spec.runner.env.find(({ name }: { name: string }) => name === 'LOAD_URLS').value;
  expect(url).toBe(`ws://hubbub-edge.${policy.metadata.namespace}.svc:${loadConfig({}).port}`);
  expect(policy.spec.podSelector.matchLabels).toEqual({ 'app.kubernetes.io/name': 'hubbub-edge' });
  const [{ from, ports }] = policy.spec.ingress;
  expect(from[0].namespaceSelector.matchLabels['kubernetes.io/metadata.name']).toBe(testRun.metadata.namespace);
  expect(ports[0].port).toBe('clients');
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
