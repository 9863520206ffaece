/** A relay that publishes one text to all its members: as it is, deflated for each member, or deflated once. */
import { deflateRawSync } from 'node:zlib';
import { loadEngine } from '@hubbub/edge'; // The same binary as Hubbub's.
import { obey } from '@hubbub/tools/kit';

const { module: uws } = loadEngine();
const TOPIC = 'all';
const app = uws.App();
const behavior = compression => ({ compression, idleTimeout: 0, open: socket => socket.subscribe(TOPIC) });
app.ws('/plain', behavior(uws.DISABLED));
app.ws('/each', behavior(uws.SHARED_COMPRESSOR));

/** How a text is published. `once`: members get a binary frame, and inflate it themselves. */
const WAYS = {
  plain: text => app.publish(TOPIC, text, false, false),
  each: text => app.publish(TOPIC, text, false, true),
  once: text => app.publish(TOPIC, deflateRawSync(text), true, false),
};

obey({
  listen: () =>
    new Promise(resolve => {
      app.listen('127.0.0.1', 0, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, token => resolve(uws.us_socket_local_port(token)));
    }),
  members: () => app.numSubscribers(TOPIC),

  /** @param {{ way: keyof typeof WAYS, text: string, count: number }} order @returns microseconds of processor time for each message */
  async publish({ way, text, count }) {
    const before = process.cpuUsage();
    for (let n = 0; n < count; n++) {
      WAYS[way](text);
      await new Promise(setImmediate); // The engine sends at the end of a turn.
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  },
});
