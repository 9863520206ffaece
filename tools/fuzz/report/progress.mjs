/** Shows the progress of a run: on one updated line of a terminal, otherwise as occasional lines. */
import { MIB, whole } from '../../report/tables.mjs';

const PERSON_EVERY_MS = 1000;
const LOG_EVERY_MS = 10_000;

export class Progress {
  #timer;
  #beganAtMs = performance.now();

  constructor(plan, { watch, tally, bystanders, edge }) {
    const isPerson = process.stdout.isTTY === true;
    const show = async () => {
      const seconds = Math.round((performance.now() - this.#beganAtMs) / 1000);
      const { p99Ms, heard } = await bystanders.figures();
      const hurt = heard.reduce((sum, { missed, repeated }) => sum + missed + repeated, 0);
      const last = watch.samples[edge.name].at(-1);
      const words = [
        `${seconds} s`,
        `${whole(plan.doneInputs)} of ${whole(plan.inputs)}`,
        `${Math.round(plan.doneInputs / Math.max(1, seconds))}/s`,
        `${last?.sessions ?? '?'} sessions`,
        `RSS ${Math.round((last?.rssBytes ?? 0) / MIB)} MiB`,
        `bystanders p99 ${p99Ms?.toFixed(1)} ms, ${hurt} lost or twice`,
        `${tally.violationCount} violations`,
      ].join(' · ');
      if (isPerson) process.stdout.write(`\r${words}\x1b[K`);
      else console.log(words);
    };
    // The bystanders may end meanwhile; the final report contains that.
    this.#timer = setInterval(() => void show().catch(() => {}), isPerson ? PERSON_EVERY_MS : LOG_EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }
}
