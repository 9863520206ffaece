/** The one publisher of a run: publishes to the rooms' channels in turn, at a steady rate, without waiting for delivery. */
import { createClock } from './clock.mjs';
import { createMessageMaker } from './message.mjs';
import { obey } from './orders.mjs';
import { RedisPublisher } from './redis-publisher.mjs';

const TICK_MS = 1;

/** @type {RedisPublisher} */
let redis;
let clock;
let makeMessage;
let rooms = 0;
/** Messages since the beginning, of all rooms. */
let published = 0;

obey({
  /** @param {{ originUs: number, redisUrl: string, rooms: string[], channels: string[], frameBytes: number, form: string }} order */
  async open(order) {
    clock = createClock(order.originUs);
    makeMessage = createMessageMaker(order);
    rooms = order.rooms.length;
    redis = await RedisPublisher.open(order.redisUrl, order.channels);
  },

  /**
   * Resolves when Redis has accepted the last message. `worstDelayMs` is the publisher's largest delay against its
   * timetable: a large one means that the machine is too busy to publish on time.
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
        for (; sent < due; sent++) messages.push(next());
        redis.publish(messages);
      }
      await new Promise(resolve => setTimeout(resolve, TICK_MS));
    }
    await redis.answered();
    const perRoom = Array.from({ length: rooms }, (_, room) => [room, Math.ceil((published - room) / rooms)]);
    return { published: perRoom, unheard: redis.unheard - unheardBefore, worstDelayMs: worstDelayUs / 1000 };
  },

  async close() {
    redis?.close();
    setImmediate(() => process.disconnect());
  },
});

function next() {
  const room = published % rooms;
  const number = Math.floor(published++ / rooms);
  return { channel: room, bytes: makeMessage(room, number, clock.now()) };
}
