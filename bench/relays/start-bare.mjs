/** Starts the bare relay. */
import { fileURLToPath } from 'node:url';
import { lineOf, startNode, stop } from '../machine/processes.mjs';

const FILE = fileURLToPath(new URL('bare.mjs', import.meta.url));
const NAME = 'The bare relay';

/** @param {import('./catalogue.mjs').RelayStart} start @returns {Promise<import('./catalogue.mjs').RunningRelay>} */
export async function startBare({ redisUrl, room, cpus, nodeArgs }) {
  const child = startNode([...nodeArgs, FILE, redisUrl, room], { name: NAME, cpus });
  const port = await lineOf(child, line => JSON.parse(line).port, { name: NAME });
  return { port, pids: [child.pid], headers: () => ({}), troubles: () => [], close: () => stop(child) };
}
