/**
 * Measures what compression costs a relay and its members, and what it saves. Frames go out as they are, deflated for each member
 * (permessage-deflate, RFC 7692), or deflated once for all. Hubbub's own code takes no part.
 */
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { eventually, RawSocket, Worker } from '@hubbub/tools/kit';
import { boundTime, ownCommand } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { choosePinning } from '../machine/pinning.mjs';
import { compressionSummary } from '../report/compression-summary.mjs';

const RELAY = fileURLToPath(new URL('../relays/compressing.mjs', import.meta.url));
const WAYS = ['plain', 'each', 'once'];
const LIMIT_S = 300;
const INFLATIONS = 500;

export const compression = {
  name: 'compression',
  description: 'frames as they are, deflated for each member, and deflated once for all; no relays are compared',
  full: { members: 100, messages: 1000, rounds: 5 },
  quick: { members: 10, messages: 20, rounds: 1 },

  /** @param {typeof compression.full} settings */
  async run(settings) {
    boundTime(LIMIT_S);
    const pinning = choosePinning();
    const machine = describeMachine({ pinning: pinning.words });
    const rows = [];
    for (let round = 1; round <= settings.rounds; round++) {
      console.log(`round ${round} of ${settings.rounds} …`);
      for (const way of round % 2 === 0 ? WAYS : WAYS.toReversed())
        rows.push(...(await measure(way, settings, pinning)).map(row => ({ round, way, ...row })));
    }
    const inflation = [];
    // One after the other: the processor time is that of the whole process.
    for (const [frame, text] of Object.entries(frames()))
      inflation.push({ frame, cpuMicros: await inflationMicros(text) });
    const { name: scenario, description } = compression;
    const run = { scenario, description, command: ownCommand('npm run bench'), settings, machine, rows, inflation };
    console.log(`\n${compressionSummary(run)}\n`);
    return run;
  },

  summarize: compressionSummary,
};

/** A relay of its own with its members: frames of each kind. */
async function measure(way, { members: count, messages }, { relay: cpus, nodeArgs }) {
  const relay = Worker.start({ name: way, file: RELAY, cpus, nodeArgs });
  const members = [];
  try {
    const port = await relay.order('listen');
    let bytes = 0;
    const path = way === 'each' ? '/each' : '/plain';
    const headers = way === 'each' ? { 'Sec-WebSocket-Extensions': 'permessage-deflate' } : {};
    for (let n = 0; n < count; n++) {
      const onData = (_bytes, _start, length) => {
        bytes += length;
      };
      members.push(new RawSocket({ port, path, headers, onData, onEnd: why => console.error(`A member: ${why}`) }));
    }
    await eventually(async () => (await relay.order('members')) === count, { describe: 'all members are there' });
    const rows = [];
    for (const [frame, text] of Object.entries(frames())) {
      await relay.order('publish', { way, text, count: Math.ceil(messages / 10) }); // Warms up.
      bytes = 0;
      const cpuMicros = await relay.order('publish', { way, text, count: messages });
      let before = -1;
      const isQuiet = () => {
        const same = before === bytes;
        before = bytes;
        return same;
      };
      await eventually(isQuiet, { describe: 'all bytes have come' });
      rows.push({ frame, cpuMicros: cpuMicros / count, bytes: bytes / count / messages });
    }
    return rows;
  } finally {
    for (const member of members) member.destroy();
    await relay.close();
  }
}

/** Inflates as a browser does: a stream of its own for each frame. */
async function inflationMicros(text) {
  const deflated = deflateRawSync(text);
  const beganAt = process.cpuUsage();
  for (let n = 0; n < INFLATIONS; n++)
    await new Response(new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).text();
  const { user, system } = process.cpuUsage(beganAt);
  return (user + system) / INFLATIONS;
}

const TALK = `Could somebody look at the tide tables before noon? The harbor office changed them on Tuesday, and I think that
the ferry to the islands leaves at ten to seven now, not at half past. Maria wrote that the bus from the station waits for it only
on weekdays, so the group from Ghent would be stranded on Saturday with forty boxes and two dogs. I can drive once, but not twice,
because the van goes back to Karl at nine. If we move the breakfast to the boat, we gain twenty minutes; the kitchen there is small,
and they have no oven. Please vote below. My own preference is the early boat, a cold breakfast, and coffee from the thermos that
Jonas brought last year. One more thing: the permit for the loudspeakers is valid until eight in the evening, so the band has to begin
at six, rain or not. I have asked for a tent, and the answer is promised for Thursday afternoon.`;

/** Frames as members get them. */
function frames() {
  const message = content => ({
    room: 'chat:42',
    epoch: 'LFGuZg0--Nbh',
    offset: 1042,
    type: 'new_message',
    payload: { content },
    sender: { id: 'user-7f3a', name: 'Amelia' },
    timestamp: '2026-01-31T12:00:00.000Z',
  });
  const user = (_, n) => ({ id: `user-${(n * 7919).toString(36)}`, name: `Member ${n * 31}`, status: 'online' });
  return {
    'a message of 240 bytes': JSON.stringify(message(TALK.slice(0, 60))),
    'a message of 1 kB': JSON.stringify(message(TALK.slice(0, 840))),
    'a roster of 200 users': JSON.stringify({
      room: 'chat:42',
      type: 'room_info',
      payload: { users: Array.from({ length: 200 }, user) },
    }),
  };
}
