/** Starts one k6 process and reports how it ended. */
import { existsSync, readFileSync } from 'node:fs';
import { startProgram } from '@hubbub/tools/kit';

const LOGGED_ERRORS_MAX = 5;
/** k6's exit code after a failed threshold. */
export const THRESHOLD_EXIT_CODE = 99;

/**
 * @typedef {object} LoadOptions
 * @property {string} k6 path of the program @property {string} bundle @property {number} number counted from 1
 * @property {Record<string, string>} env LOAD_* @property {string} summaryFile
 * @property {string} [localIps] @property {string} [prometheusUrl]
 */

/** @param {LoadOptions} options */
export function startLoad({ k6, bundle, number, env, summaryFile, localIps, prometheusUrl }) {
  const name = `k6 process ${number}`;
  const args = ['run', '--quiet', '--no-usage-report', '--no-color'];
  if (localIps !== undefined) args.push('--local-ips', localIps);
  if (prometheusUrl !== undefined) args.push('-o', 'experimental-prometheus-rw', '--tag', `process=${number}`);
  const prometheus = {
    K6_PROMETHEUS_RW_SERVER_URL: prometheusUrl,
    K6_PROMETHEUS_RW_TREND_STATS: 'p(50),p(95),p(99),max',
    K6_PROMETHEUS_RW_STALE_MARKERS: 'true',
  };
  const started = startProgram([k6, ...args, bundle], {
    name,
    env: {
      ...process.env,
      ...(prometheusUrl !== undefined && prometheus),
      ...env,
      LOAD_PROCESS: String(number),
      LOAD_SUMMARY: summaryFile,
    },
  });
  let errorCount = 0;
  started.output.onLine((line, _log, source) => {
    if (source === 'stdout' || !/level=(error|fatal)/.test(line) || line.includes('thresholds on metrics')) return;
    if (errorCount++ < LOGGED_ERRORS_MAX) console.error(`  ${name}: ${line}`);
  });
  const ended = started.exited.then(({ code, signal }) => ({
    code: code ?? signal,
    summary: existsSync(summaryFile) ? JSON.parse(readFileSync(summaryFile, 'utf8')) : undefined,
    lastWords: started.output.tail(),
  }));
  return { number, process: started, ended };
}
