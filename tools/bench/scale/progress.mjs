/** Shows the progress of a long run, and ends it before the machine runs out of memory. */
import { availableBytes } from '../machine/usage.mjs';

const MEMORY_LEFT_MIN = 2 ** 30;
const LOOK_MS = 1000;
/** Interval without a terminal, where lines cannot be overwritten. */
const LINE_EVERY_MS = 5000;

/**
 * @param {{ look: () => Promise<string>, onTooLittleMemory: () => void }} options `look`: the line, without the time
 * @returns {{ step: (what: string) => void, stop: () => void }}
 */
export function showProgress({ look, onTooLittleMemory }) {
  const beganAt = performance.now();
  const isTerminal = process.stdout.isTTY === true;
  let what = '';
  let shownAt = 0;
  let busy = false;
  const timer = setInterval(async () => {
    const left = availableBytes();
    if (left < MEMORY_LEFT_MIN) return onTooLittleMemory();
    if (busy || (!isTerminal && performance.now() - shownAt < LINE_EVERY_MS)) return;
    busy = true;
    const words = await look().catch(() => undefined); // A process is ending.
    busy = false;
    if (words === undefined) return;
    shownAt = performance.now();
    const seconds = Math.round((shownAt - beganAt) / 1000);
    const line = `${String(seconds).padStart(4)} s  ${what}: ${words}, ${(left / 2 ** 30).toFixed(1)} GiB free`;
    process.stdout.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
  }, LOOK_MS);
  return {
    step(next) {
      what = next;
      process.stdout.write(`${isTerminal ? '\r\x1b[K' : ''}${next} …\n`);
    },
    stop() {
      clearInterval(timer);
      if (isTerminal) process.stdout.write('\r\x1b[K');
    },
  };
}
