/** The chart in `deploy/helm/hubbub`, as Helm lints and renders it and kubeconform validates it: a program in Go runs parts of both. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { cleanup } from '../../support/cleanup.js';
import { buildGoProgram } from '../../support/go-program.js';
import { isRecord, type Manifest, parseManifests, readSchema } from './manifests.js';
import { deployFile } from './proxy.js';

export const CHART = deployFile('helm/hubbub');
export const REDIS_MODES = ['external', 'single', 'sentinel', 'cluster'] as const;

/** Values that turn everything on that the chart has. */
export const ALL = {
  config: { webhooks: { shop: { url: 'https://shop.example.com/hubbub', lifecycle: ['room_occupied'] } } },
  edge: { autoscaling: { enabled: true } },
  api: { mintsTokens: true },
  webhooks: { enabled: true },
  console: { enabled: true },
  ingress: { enabled: true },
  monitoring: { podMonitor: true, rules: true, dashboards: true },
};

/** Of the schemas of Kubernetes beside this folder. */
const KUBERNETES_VERSION = '1.34.0';

/** `undefined` where Go is missing. */
export const chartProgram = await buildGoProgram('chart');

/** Runs `lint` or `template` with these values on top of the chart's. @throws {Error} with what it reports */
function runHelm(command: 'lint' | 'template', values: object): string {
  const file = join(temporaryFolder(), 'values.yaml');
  writeFileSync(file, stringify(values));
  return runChartProgram([command, CHART, file, KUBERNETES_VERSION]);
}

function runChartProgram(args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(chartProgram ?? '', args, { input, encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(stderr);
  return stdout;
}

/** @throws {Error} with the warnings of `helm lint --strict` */
export function lint(values: object): void {
  runHelm('lint', values);
}

/** The text of all objects of the release `hubbub`. @throws {Error} with the message of Helm */
export function renderText(values: object = {}): string {
  return runHelm('template', values);
}

export function render(values: object = {}): Manifest[] {
  return parseManifests(renderText(values));
}

/** Validates as the API server does, with unknown fields refused. Returns one line for each problem. */
export function conformanceProblems(text: string): string[] {
  const location = `${schemaFolder()}/{{ .ResourceKind }}{{ .KindSuffix }}.json`;
  return runChartProgram(['validate', location], text)
    .split('\n')
    .filter(line => line !== '');
}

/** kubeconform reads a file for each kind, such as deployment-apps-v1.json. */
function schemaFolder(): string {
  const folder = temporaryFolder();
  const { kinds, definitions } = readSchema('kubernetes.json');
  const ofKubernetes = Object.entries(isRecord(kinds) ? kinds : {}).map(
    ([id, schema]) => [id, { ...Object(schema), definitions }] as const,
  );
  for (const [id, schema] of [...ofKubernetes, ...Object.entries(readSchema('prometheus-operator.json'))]) {
    const [, group, version, kind] = /^(?:([^/ ]+)\/)?(\S+) (\S+)$/.exec(id) ?? [];
    const name = [kind, group?.split('.')[0], version].filter(part => part !== undefined).join('-');
    writeFileSync(join(folder, `${name.toLowerCase()}.json`), JSON.stringify(schema));
  }
  return folder;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-helm-'));
  cleanup(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
