/** The one publisher of a run: puts messages on the room's channel at a steady rate, whatever becomes of them. */
import { createClock } from './clock.mjs';
import { createMessageMaker } from './message.mjs';
import { obey } from './orders.mjs';
import { RedisPublisher } from './redis-publisher.mjs';

const TICK_MS = 1;

/** @type {RedisPublisher} */
let redis;
let clock;
let makeMessage;
/** Messages since the beginning; the next one has this number. */
let published = 0;

obey({
  async open(order) {
    clock = createClock(order.originUs);
    makeMessage = createMessageMaker(order);
    redis = await RedisPublisher.open(order.redisUrl, order.channel);
  },

  /**
   * Resolves when the last message was taken by Redis. `worstDelayMs` says how far the publisher itself fell behind its
   * own timetable: a machine that is too busy to publish on time.
   */
  async publish({ perSecond, forMs }) {
    const startUs = clock.now();
    const total = Math.round((perSecond * forMs) / 1000);
    const unheardBefore = redis.unheard;
    let worstDelayUs = 0;
    for (let sent = 0; sent < total; ) {
      const elapsedUs = clock.now() - startUs;
      const due = Math.min(total, Math.floor((elapsedUs * perSecond) / 1e6) + 1);
      if (due > sent) {
        worstDelayUs = Math.max(worstDelayUs, elapsedUs - (sent * 1e6) / perSecond);
        const messages = [];
        for (; sent < due; sent++) messages.push(makeMessage(published++, clock.now()));
        redis.publish(messages);
      }
      await new Promise(resolve => setTimeout(resolve, TICK_MS));
    }
    await redis.answered();
    return { published, unheard: redis.unheard - unheardBefore, worstDelayMs: worstDelayUs / 1000 };
  },

  async close() {
    redis?.close();
    setImmediate(() => process.disconnect());
  },
});
