/** Starts a relay that is one file of this folder: the bare one, and those of Socket.IO. */
import { fileURLToPath } from 'node:url';
import { lineOf, startNode, stop } from '../machine/processes.mjs';
import { bearer, SECRET } from './token.mjs';

/** @param {string} file of this folder @returns {(start: import('./catalogue.mjs').RelayStart) => Promise<import('./catalogue.mjs').RunningRelay>} */
export function startPlain(file) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return async ({ redisUrl, cpus, nodeArgs }) => {
    const child = startNode([...nodeArgs, path, redisUrl, SECRET], { name: file, cpus });
    const port = await lineOf(child, line => JSON.parse(line).port, { name: file });
    return {
      port,
      pids: [child.pid],
      helpers: [],
      headers: bearer,
      troubles: () => [],
      collect: () => child.kill('SIGUSR2'),
      kill: () => child.kill('SIGKILL'),
      close: () => stop(child),
    };
  };
}
