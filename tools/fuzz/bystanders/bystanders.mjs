/** Starts the bystanders and reads their figures. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from '@hubbub/tools/kit';

const PROGRAM = fileURLToPath(new URL('./bystanders-process.mjs', import.meta.url));
const PER_SECOND = 20;
const LAST_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 100;
/** Numbers of the narrator in the baseline. */
const BASELINE_NUMBERS = 60;

/** @param {number} port of the edge */
export async function startBystanders(port) {
  const worker = Worker.start({ name: 'the bystanders', file: PROGRAM });
  await worker.order('open', { port });
  await worker.order('speak', { perSecond: PER_SECOND });
  const figures = () => worker.order('figures');
  return {
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
    watchWaits: waitLimitMs => worker.order('watchWaits', { waitLimitMs }),
    /** Stops the narrator; resolves when every number has arrived, or after a limit. */
    async hush() {
      await worker.order('hush');
      const deadline = performance.now() + LAST_WITHIN_MS;
      for (;;) {
        const now = await figures();
        const complete = now.acked === now.sent && now.heard.every(({ expected }) => expected === now.sent);
        if (complete || performance.now() > deadline) return now;
        await sleep(LOOK_AGAIN_MS);
      }
    },
    close: () => worker.close(),
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
