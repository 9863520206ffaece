/** The one publisher of a run: puts messages on the room's channel at a steady rate, whatever becomes of them. */
import { Redis } from 'ioredis';
import { createClock } from './clock.mjs';
import { createMessageMaker } from './message.mjs';
import { obey } from './orders.mjs';

const TICK_MS = 1;

let redis;
let clock;
let makeMessage;
let channel;
let published = 0;

const commands = {
  async open(order) {
    clock = createClock(order.originUs);
    channel = order.channel;
    makeMessage = createMessageMaker(order);
    redis = new Redis(order.redisUrl, { lazyConnect: true, maxRetriesPerRequest: 0 });
    await redis.connect();
  },

  /**
   * Resolves when the last message was taken by Redis. `worstDelayMs` says how far the publisher itself fell behind its
   * own timetable: a machine that is too busy to publish on time.
   */
  async publish({ perSecond, forMs }) {
    const startUs = clock.now();
    const total = Math.round((perSecond * forMs) / 1000);
    let sent = 0;
    let worstDelayUs = 0;
    let unheard = 0;
    const answers = [];
    while (sent < total) {
      const elapsedUs = clock.now() - startUs;
      const due = Math.min(total, Math.floor((elapsedUs * perSecond) / 1e6) + 1);
      if (due > sent) {
        worstDelayUs = Math.max(worstDelayUs, elapsedUs - (sent * 1e6) / perSecond);
        // What is due in one tick goes out in one write.
        const batch = redis.pipeline();
        for (; sent < due; sent++) batch.publish(channel, makeMessage(published++, clock.now()));
        answers.push(
          batch.exec().then(results => {
            for (const [error, receivers] of results) if (error !== null || receivers !== 1) unheard++;
          }),
        );
      }
      await new Promise(resolve => setTimeout(resolve, TICK_MS));
    }
    await Promise.all(answers);
    return { sent, published, unheard, worstDelayMs: worstDelayUs / 1000 };
  },

  async close() {
    redis?.disconnect();
    setImmediate(() => process.disconnect());
  },
};

obey(commands);
