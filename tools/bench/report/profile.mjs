/** Lists the functions of a V8 .cpuprofile by their self time. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '@hubbub/tools/kit';

/** Folder of the relays' profiles. */
export const PROFILES_DIR = join(ROOT, '.cache/profiles');

/** @param {string} file @param {number} count @returns {string[]} lines, most expensive first */
export function hottestFunctions(file, count = 25) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
  const frames = new Map(nodes.map(node => [node.id, node.callFrame]));
  const selfUs = new Map();
  let totalUs = 0;
  let idleUs = 0;
  samples.forEach((id, i) => {
    const { functionName, url, lineNumber } = frames.get(id);
    const us = Math.max(0, timeDeltas[i]);
    if (functionName === '(idle)') {
      idleUs += us;
      return;
    }
    totalUs += us;
    const place = url === '' ? '' : ` ${basename(url)}:${lineNumber + 1}`;
    const name = `${functionName || '(anonymous)'}${place}`;
    selfUs.set(name, (selfUs.get(name) ?? 0) + us);
  });
  const hottest = [...selfUs].sort(([, a], [, b]) => b - a).slice(0, count);
  return [
    `busy ${(totalUs / 1e6).toFixed(1)} s, idle ${(idleUs / 1e6).toFixed(1)} s`,
    ...hottest.map(([name, us]) => `${((us / totalUs) * 100).toFixed(1).padStart(5)} %  ${name}`),
  ];
}
