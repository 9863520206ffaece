/** Publishes malformed messages on the edge's channels, and adds malformed entries to presence's streams. */
import { Redis } from 'ioredis';

const BATCH = 200;

/**
 * @param {import('./plan.mjs').Plan} plan
 * @param {{ redis: { url: string, prefix: string }, tally: import('../report/tally.mjs').Tally }} options
 */
export async function runRedisLane(plan, { redis: { url, prefix }, tally }) {
  const redis = new Redis(url);
  redis.on('error', () => {}); // Without Redis the commands fail, too.
  for (;;) {
    const pipeline = redis.pipeline();
    const batch = [];
    while (batch.length < BATCH) {
      const planned = await plan.next('redis');
      if (planned === undefined) break;
      const { channel, message, stream, field, text } = planned.input;
      if (stream === undefined) pipeline.publish(`${prefix}:${channel}`, message);
      else pipeline.xadd(`${prefix}:${stream}`, '*', field, text);
      batch.push(planned);
    }
    if (batch.length === 0) break;
    const answers = await pipeline.exec();
    batch.forEach((planned, i) => {
      const [error, receivers] = answers[i];
      if (error) tally.violation(planned, `Redis refused it: ${error.message}`);
      else if (planned.input.isMalformed && receivers > 0) tally.malformed();
      plan.finished(planned);
    });
  }
  redis.disconnect();
}
