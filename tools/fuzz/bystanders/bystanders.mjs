/** Starts the bystanders and reads their figures. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startNode, stop } from '../../bench/machine/processes.mjs';

const PROGRAM = fileURLToPath(new URL('./bystanders-process.mjs', import.meta.url));
const PER_SECOND = 20;
const LAST_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 100;
/** Numbers of the narrator in the baseline. */
const BASELINE_NUMBERS = 60;

/** @param {number} port of the edge */
export async function startBystanders(port) {
  const child = startNode([PROGRAM, JSON.stringify({ port, perSecond: PER_SECOND })], {
    name: 'bystanders',
    ipc: true,
  });
  let exit;
  child.once('exit', code => {
    exit = `the bystanders ended with ${code}: ${child.lastWords}`;
  });
  const failed = once(child, 'exit').then(() => Promise.reject(new Error(exit)));
  failed.catch(() => {}); // Pending calls reject with it; otherwise `exit` reports it.
  const answer = async (order, field) => {
    const heard = (async () => {
      for (;;) {
        const [message] = await once(child, 'message');
        if (field in message) return message[field];
      }
    })();
    if (order !== undefined) child.send(order);
    return await Promise.race([heard, failed]);
  };
  await answer(undefined, 'ready');
  child.send({ speak: true });
  const figures = () => answer({ tell: true }, 'figures');
  return {
    pid: child.pid,
    figures,
    /** Measures the longest wait of a bystander before the first input. @returns {Promise<number>} milliseconds */
    async baselineMs() {
      for (;;) {
        const { heard, maxMs } = await figures();
        if (heard.every(({ expected }) => expected >= BASELINE_NUMBERS)) return maxMs;
        await sleep(LOOK_AGAIN_MS);
      }
    },
    /** Records waits above the limit from now on, and forgets earlier ones. @param {number} waitLimitMs */
    watchWaits: waitLimitMs => child.send({ waitLimitMs }),
    /** Stops the narrator; resolves when every number has arrived, or after a limit. */
    async hush() {
      child.send({ hush: true });
      const deadline = performance.now() + LAST_WITHIN_MS;
      for (;;) {
        const now = await figures();
        const complete = now.acked === now.sent && now.heard.every(({ expected }) => expected === now.sent);
        if (complete || performance.now() > deadline) return now;
        await sleep(LOOK_AGAIN_MS);
      }
    },
    close: () => stop(child),
  };
}

/** Describes problems of the received numbers. @param {Awaited<ReturnType<Awaited<ReturnType<typeof startBystanders>>['hush']>>} figures */
export function bystanderProblems({ sent, acked, heard, troubles }) {
  const problems = troubles.map(trouble => `bystanders: ${trouble}`);
  if (acked !== sent) problems.push(`bystanders: ${acked} of ${sent} numbers were acknowledged`);
  heard.forEach(({ expected, missed, repeated }, number) => {
    if (missed + repeated > 0 || expected !== sent) {
      problems.push(
        `bystander ${number}: heard up to ${expected} of ${sent}, missed ${missed}, heard ${repeated} twice or late`,
      );
    }
  });
  return problems;
}
