/** A service that publishes steadily to one room after another, through the SDK and into the rooms' histories. */
import { digits, NUMBER_DIGITS, TIME_DIGITS } from '../load/messages.mjs';

const TICK_MS = 5;
const TEXT = 'x'.repeat(40);
const RETRY_MS = 200;

/**
 * @param {{ hubbub: import('@hubbub/server').Hubbub, rooms: readonly string[], rate: number, clock: ReturnType<import('../load/measurement.mjs').createClock> }} options
 * @returns {{ stop: () => Promise<{ published: number[], retried: number }> }}
 */
export function startTalk({ hubbub, rooms, rate, clock }) {
  const published = new Array(rooms.length).fill(0);
  const startUs = clock.now();
  const inFlight = new Set();
  let output = 0;
  let retried = 0;

  async function say(room) {
    const number = published[room]++;
    const payload = { number: digits(number, NUMBER_DIGITS), at: digits(clock.now(), TIME_DIGITS), text: TEXT };
    const message = { type: 'new_message', payload, idempotencyKey: `m${number}` };
    for (;;) {
      try {
        return await hubbub.publishToRoom(rooms[room], message);
      } catch (error) {
        // With the same key: it is stored once, also where the outcome is unknown.
        if (!error.retryable && error.code !== 'OUTCOME_UNKNOWN') throw error;
        retried++;
        await new Promise(resolve => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  const timer = setInterval(() => {
    const due = Math.floor(((clock.now() - startUs) * rate) / 1e6);
    for (; output < due; output++) {
      const saying = say(output % rooms.length).finally(() => inFlight.delete(saying));
      inFlight.add(saying);
    }
  }, TICK_MS);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(inFlight);
      return { published, retried };
    },
  };
}
