/** The chart in `deploy/helm/hubbub`, rendered by Helm and validated by kubeconform. Both are built from their sources, with Go. */
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
const TOOLS = new URL('../tools/', import.meta.url);
/** Of the schemas. A build of Helm without its release script pretends to be far older. */
export const VERSION = ['--kube-version', '1.34.0'];
const NEEDS = 'Go with Helm and kubeconform, for the chart,';

/** The first build takes some minutes. `undefined` where Go is missing. */
export const helm = buildGoProgram(TOOLS, 'helm', NEEDS, 'helm.sh/helm/v3/cmd/helm');
const kubeconform = buildGoProgram(TOOLS, 'kubeconform', NEEDS, 'github.com/yannh/kubeconform/cmd/kubeconform');

export interface HelmResult {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs `helm <args>` with these values on top of the chart's. */
export function runHelm(args: readonly string[], values: object = {}): HelmResult {
  const file = join(temporaryFolder(), 'values.yaml');
  writeFileSync(file, stringify(values));
  const { status, stdout, stderr } = spawnSync(helm ?? '', [...args, '--values', file], { encoding: 'utf8' });
  return { status, output: stdout, errors: stderr };
}

/** The text of all objects of the release `hubbub`. @throws {Error} with the message of Helm */
export function renderText(values: object = {}): string {
  const { status, output, errors } = runHelm(
    ['template', 'hubbub', CHART, '--namespace', 'hubbub', ...VERSION],
    values,
  );
  if (status !== 0) throw new Error(errors);
  return output;
}

export function render(values: object = {}): Manifest[] {
  return parseManifests(renderText(values));
}

/** Validates as the API server does, with unknown fields refused. Returns one line for each problem. */
export function conformanceProblems(text: string): string[] {
  const location = `${schemaFolder()}/{{ .ResourceKind }}{{ .KindSuffix }}.json`;
  const args = ['-strict', '-output', 'json', '-schema-location', location, '-'];
  const { stdout, stderr } = spawnSync(kubeconform ?? '', args, { input: text, encoding: 'utf8' });
  const report: unknown = JSON.parse(stdout || JSON.stringify({ resources: [{ msg: stderr, status: 'statusError' }] }));
  const resources: unknown = isRecord(report) ? report.resources : [];
  return (Array.isArray(resources) ? resources : []).map(({ kind, name, msg }) => `${kind} ${name}: ${msg}`);
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
