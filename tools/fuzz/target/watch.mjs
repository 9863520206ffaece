/** Polls the fuzzed processes: memory, readiness, exits and log lines. */
import { readMetrics, whyNotReady } from '@hubbub/tools/kit';

const EVERY_MS = 1000;

/**
 * @typedef {object} Sample
 * @property {number} atMs since the watch began @property {number} rssBytes @property {number} heapBytes in use, garbage included
 * @property {number} sessions @property {number} inputs sent until then
 */

/** @param {readonly import('./target.mjs').Part[]} parts @param {() => number} doneInputs */
export function startWatch(parts, doneInputs) {
  const beganAtMs = performance.now();
  /** @type {Record<string, Sample[]>} by part */
  const samples = Object.fromEntries(parts.map(({ name }) => [name, []]));
  const notGreen = [];
  let stopped = false;
  const look = async part => {
    const inputs = doneInputs();
    const [red, metrics] = await Promise.all([whyNotReady(part), readMetrics(part).catch(() => new Map())]);
    const atMs = performance.now() - beganAtMs;
    if (red !== undefined && part.exit() === undefined)
      notGreen.push(`${part.name} after ${(atMs / 1000).toFixed(0)} s: ${red}`);
    const rssBytes = metrics.get('process_resident_memory_bytes');
    if (rssBytes === undefined) return;
    const heapBytes = metrics.get('nodejs_heap_size_used_bytes');
    samples[part.name].push({ atMs, rssBytes, heapBytes, sessions: metrics.get('hubbub_edge_sessions') ?? 0, inputs });
  };
  const running = parts.map(async part => {
    while (!stopped && part.exit() === undefined) {
      const next = new Promise(resolve => setTimeout(resolve, EVERY_MS));
      await look(part);
      await next;
    }
  });
  return {
    samples,
    /** Returns the process that has ended, if any; the run must stop then. */
    dead: () => parts.find(part => part.exit() !== undefined),
    /** Ends the watch; returns the problems. */
    async stop() {
      stopped = true;
      await Promise.all(running);
      return [
        ...parts.flatMap(part => (part.exit() === undefined ? [] : [`${part.name} ${part.exit()}`])),
        ...notGreen.slice(0, 5).map(words => `/readyz was red: ${words}`),
        ...parts.flatMap(({ name, troubles }) =>
          troubles.slice(0, 5).map(({ level, line }) => `${name} logged (${level}): ${line}`),
        ),
      ];
    },
  };
}
