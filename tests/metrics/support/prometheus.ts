/** A real Prometheus for a test, and promtool. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { deployFile, ownPort, provisionProgram, startProxy, temporaryDirectory } from '../../deploy/support/proxy.js';

const PACKAGES = { apt: 'prometheus', apk: 'prometheus', dnf: 'golang-github-prometheus' };

export interface Target {
  readonly job: string;
  /** `instance` of its series. */
  readonly instance: string;
  readonly adminPort: number;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Seconds since 1970, and the value: `NaN` and `+Inf` are values too. */
  readonly values: readonly (readonly [number, string])[];
}

export interface Prometheus {
  readonly url: string;
  /** Whether each target was scraped, by instance. */
  targets(): Promise<Record<string, string>>;
  /** The expression at every second. @throws {Error} with the message of Prometheus. */
  range(expression: string, fromSeconds: number, toSeconds: number): Promise<Series[]>;
}

/** Exit code and all output. */
export function promtool(args: readonly string[], input = ''): { code: number; output: string } {
  provisionProgram('prometheus', PACKAGES);
  const { status, stdout, stderr } = spawnSync(provisionProgram('promtool', PACKAGES), args, {
    input,
    encoding: 'utf8',
  });
  return { code: status ?? -1, output: `${stdout}${stderr}` };
}

/** Scrapes every second, evaluates the shipped rules, and takes remote writes. */
export async function startPrometheus(targets: readonly Target[]): Promise<Prometheus> {
  const program = provisionProgram('prometheus', PACKAGES);
  const folder = temporaryDirectory();
  mkdirSync(join(folder, 'rules'));
  writeFileSync(join(folder, 'rules/hubbub.yml'), readFileSync(deployFile('prometheus/rules/hubbub.yml')));
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ['rules/*.yml'],
      scrape_configs: [...new Set(targets.map(({ job }) => job))].map(job => ({
        job_name: job,
        static_configs: targets
          .filter(target => target.job === job)
          .map(({ instance, adminPort }) => ({ targets: [`127.0.0.1:${adminPort}`], labels: { instance } })),
      })),
    }),
  );
  const port = await ownPort();
  const url = `http://127.0.0.1:${port}`;
  await startProxy({
    program,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
    ],
    port,
    readyWhen: async () => (await fetch(`${url}/-/ready`)).ok,
  });

  const ask = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: T; status: string; error?: string };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  return {
    url,
    async targets() {
      type Active = { labels: Record<string, string>; health: string };
      const { activeTargets } = await ask<{ activeTargets: Active[] }>('targets');
      return Object.fromEntries(activeTargets.map(({ labels, health }) => [labels.instance, health]));
    },
    async range(expression, fromSeconds, toSeconds) {
      const query = new URLSearchParams({
        query: expression,
        start: String(fromSeconds),
        end: String(toSeconds),
        step: '1',
      });
      return (await ask<{ result: Series[] }>(`query_range?${query}`)).result;
    },
  };
}
