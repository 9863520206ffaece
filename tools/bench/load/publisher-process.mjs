/** The one publisher of a run: publishes to the rooms' channels in turn, at a steady rate, without waiting for delivery. */
import { obey } from '@hubbub/tools/kit';
import { createClock } from './measurement.mjs';
import { createMessageMaker } from './messages.mjs';
import { PusherPublisher } from './pusher-publisher.mjs';
import { RedisPublisher } from './redis-publisher.mjs';

const TICK_MS = 1;

/** @type {RedisPublisher | PusherPublisher} */
let publisher;
let clock;
let makeMessage;
let rooms = 0;
/** Messages since the beginning, of all rooms. */
let published = 0;

obey({
  /**
   * @param {{ originUs: number, redisUrl: string, api?: import('./pusher-publisher.mjs').PusherApi, rooms: string[], channels: string[],
   *   frameBytes: number, form: string }} order
   */
  async open(order) {
    clock = createClock(order.originUs);
    makeMessage = createMessageMaker(order);
    rooms = order.rooms.length;
    publisher =
      order.form === 'pusher'
        ? new PusherPublisher(order.api)
        : await RedisPublisher.open(order.redisUrl, order.channels);
  },

  /**
   * Resolves when the last message is accepted. `worstDelayMs` is the publisher's largest delay against its
   * timetable. A large one means that the machine or the HTTP API is too busy to publish on time.
   */
  async publish({ perSecond, forMs }) {
    const startUs = clock.now();
    const total = Math.round((perSecond * forMs) / 1000);
    const unheardBefore = publisher.unheard;
    let worstDelayUs = 0;
    for (let sent = 0; sent < total; ) {
      const elapsedUs = clock.now() - startUs;
      if (elapsedUs > forMs * 1000) break; // An API that is too busy has taken fewer.
      const due = Math.min(total, Math.floor((elapsedUs * perSecond) / 1e6) + 1);
      if (due > sent) {
        worstDelayUs = Math.max(worstDelayUs, elapsedUs - (sent * 1e6) / perSecond);
        for (; sent < due && publisher.takes(published % rooms); sent++) addNext();
        publisher.flush();
      }
      await new Promise(resolve => setTimeout(resolve, TICK_MS));
    }
    await publisher.answered();
    const perRoom = Array.from({ length: rooms }, (_, room) => [room, Math.ceil((published - room) / rooms)]);
    return { published: perRoom, unheard: publisher.unheard - unheardBefore, worstDelayMs: worstDelayUs / 1000 };
  },

  async close() {
    publisher?.close();
  },
});

function addNext() {
  const room = published % rooms;
  const number = Math.floor(published++ / rooms);
  publisher.add(room, makeMessage(room, number, clock.now()));
}
