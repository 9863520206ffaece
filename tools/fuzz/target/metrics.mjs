/** Reads a process's /metrics and /readyz. */

const LOOK_WITHIN_MS = 10_000;

/** @typedef {Map<string, number>} Metrics by name and labels: `name{label="value"}` */

/** @param {number} adminPort @returns {Promise<Metrics>} */
export async function readMetrics(adminPort) {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`, { signal: AbortSignal.timeout(LOOK_WITHIN_MS) });
  const values = new Map();
  for (const line of (await answer.text()).split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    values.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return values;
}

/** Returns the text of `/readyz` if it is not green. @param {number} adminPort */
export async function notReady(adminPort) {
  try {
    const url = `http://127.0.0.1:${adminPort}/readyz`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(LOOK_WITHIN_MS) });
    const text = await answer.text();
    return answer.ok ? undefined : text.trim();
  } catch (error) {
    return `no answer: ${error.message}`;
  }
}

/** Sums a counter by one label. @param {Metrics} metrics @param {string} name @param {string} label */
export function byLabel(metrics, name, label) {
  const sums = {};
  for (const [key, value] of metrics) {
    if (!key.startsWith(`${name}{`)) continue;
    const of = new RegExp(`[{,]${label}="([^"]*)"`).exec(key)?.[1];
    if (of !== undefined) sums[of] = (sums[of] ?? 0) + value;
  }
  return sums;
}
