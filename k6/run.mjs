/** Runs a load scenario: `npm run k6 -- <scenario>`, or `node k6/run.mjs <scenario>` when everything is built. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownArguments, runTool } from '../tools/command-line.mjs';
import { saveRun } from '../tools/report/results.mjs';
import { bundleScenario, scenarioNames } from './runner/bundle.mjs';
import { startCluster } from './runner/cluster.mjs';
import { addUp, failedThresholds } from './runner/figures.mjs';
import { buildK6, canBuildK6, findK6, howToGetK6, K6_VERSION } from './runner/k6-program.mjs';
import { startLoad, THRESHOLD_EXIT_CODE } from './runner/load-process.mjs';
import { k6Command } from './runner/options.mjs';
import { inWords, runOf, sampleInWords } from './runner/report.mjs';
import { untilSecond } from './runner/scenarios.mjs';
import { watch } from './runner/watch.mjs';

/** Some machines have a hard limit of 20,000 open files per process, and sockets are not all of them. */
const SOCKETS_PER_PROCESS = 15_000;
/** k6 compiles the scenario for each virtual user before it begins. */
const START_DELAY_MS = 3000;
const START_DELAY_PER_PROCESS_MS = 1000;
const DEFAULT_CONNECTIONS = 1000;
/** Source addresses of each process: the ports of one address are not enough. */
const SOURCE_ADDRESSES = 20;
const FOREIGN_SECRET = process.env.LOAD_JWT_SECRET ?? process.env.HUBBUB_JWT_SECRET;

const program = k6Command({
  async run(options) {
    process.exitCode = await runScenario(options, await provideK6());
  },
  async bundle() {
    for (const name of scenarioNames()) console.log(await bundleScenario(name));
  },
});
await runTool('k6', program);

async function provideK6() {
  const found = findK6();
  if (found !== undefined) return found;
  if (!canBuildK6()) throw new Error(howToGetK6());
  console.error(
    `k6 was not found. Building k6 ${K6_VERSION} from its module with Go, once: this takes one to five minutes …`,
  );
  return await buildK6();
}

async function runScenario(options, k6) {
  const { scenario, plan, urls, settings } = options;
  const startedAt = performance.now();
  const log = words => console.log(words);
  const shares = sharesOf(options);
  const edges = urls.length > 0 ? undefined : (options.edges ?? Math.max(plan.edges, shares.length));
  log(`${scenario}: ${plan.description}. k6 ${k6.version} (${k6.path}).`);
  const bundle = await bundleScenario(scenario);
  const cluster = edges === undefined ? undefined : await startCluster({ edges });
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-k6-run-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

  const startAt = Date.now() + START_DELAY_MS + shares.length * START_DELAY_PER_PROCESS_MS;
  const targets = cluster?.urls ?? urls;
  const secret = cluster?.secret ?? FOREIGN_SECRET;
  const common = {
    LOAD_URLS: targets.join(','),
    ...(secret !== undefined && { LOAD_JWT_SECRET: secret }),
    LOAD_RUN: randomBytes(4).toString('hex'),
    LOAD_START_AT: String(startAt),
    ...(cluster !== undefined && textOf(plan.env ?? {})),
    ...loadNames(settings),
  };
  const isLocal = targets.every(url => /^ws:\/\/127\./.test(url));
  const loads = shares.map((share, index) =>
    startLoad({
      k6: k6.path,
      bundle,
      number: index + 1,
      env: { ...common, ...share },
      summaryFile: join(folder, `summary-${index + 1}.json`),
      ...(isLocal && { localIps: `127.0.${index + 1}.1-127.0.${index + 1}.${SOURCE_ADDRESSES}` }),
      ...(options.prometheusUrl !== undefined && { prometheusUrl: options.prometheusUrl }),
    }),
  );
  log(
    `${targets.length} edges at ${targets[0]} …, ${loads.length} k6 processes; ${new Date(startAt).toISOString()} is second 0.`,
  );

  const troubles = [];
  const watcher = watch({
    edges: cluster?.edges ?? [],
    loadPids: loads.map(load => load.process.pid),
    onSample: sample => log(sampleInWords(sample)),
    onExhausted() {
      troubles.push('too little free memory: ended the run early');
      for (const load of loads) load.process.kill('SIGTERM');
    },
  });
  const canFault = plan.fault !== undefined && (cluster !== undefined || plan.faultNeedsNoCluster);
  const fault = canFault ? plan.fault({ cluster, loads, until: untilSecond(startAt), log, settings }) : undefined;
  // A pending fault must not delay the end of the run.
  const ends = await Promise.all(loads.map(({ ended }) => ended));
  const samples = await watcher.end();
  void fault;
  await cluster?.close();

  const summaries = ends.flatMap(({ summary }) => summary ?? []);
  for (const [index, { code, lastWords, summary }] of ends.entries()) {
    if (code === 0 || (code === THRESHOLD_EXIT_CODE && summary !== undefined)) continue;
    troubles.push(`k6 process ${index + 1} ended with ${code}: ${lastWords.trim().split('\n').slice(-3).join(' ')}`);
  }
  const findings = {
    scenario,
    name: plan.scales ? `${scenario}-${options.connections ?? DEFAULT_CONNECTIONS}` : scenario,
    command: ['npm run k6 --', ...ownArguments().filter(argument => argument !== '--record')].join(' '),
    k6Version: k6.version,
    processes: loads.length,
    edges,
    seconds: (performance.now() - startedAt) / 1000,
    metrics: addUp(summaries),
    failures: [
      ...troubles,
      ...failedThresholds(summaries),
      ...(cluster && plan.verdicts ? plan.verdicts(samples) : []),
    ],
    samples,
  };
  log(`\n${inWords(findings)}`);
  if (options.record) log(`Written to ${saveRun(runOf(findings))}.`);
  return findings.failures.length === 0 ? 0 : THRESHOLD_EXIT_CODE;
}

/** Returns the part of each k6 process: its role, or its share of the connections. */
function sharesOf({ plan, connections = DEFAULT_CONNECTIONS, processes }) {
  if (plan.roles !== undefined) return plan.roles.map(role => ({ LOAD_ROLE: role }));
  if (!plan.scales) return [{}];
  const count = processes ?? Math.ceil(connections / SOCKETS_PER_PROCESS);
  return Array.from({ length: count }, () => ({ LOAD_CONNECTIONS: String(Math.ceil(connections / count)) }));
}

/** `talk-s` → LOAD_TALK_S */
function loadNames(settings) {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`LOAD_${name.replaceAll('-', '_').toUpperCase()}`, String(value)]),
  );
}

function textOf(numbers) {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)]));
}
