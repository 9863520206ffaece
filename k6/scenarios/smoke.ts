/** Checks basic function: a few rooms over all edges, in JSON and MessagePack, for ten seconds. */
import { crashedAsync } from '../lib/crash.js';
import { createRooms, enterAll, membersOf } from '../lib/crew.js';
import { below, crewOf, NOTHING_WRONG, planOf } from '../lib/plan.js';
import { wholeNumber } from '../lib/settings.js';
import { timetable } from '../lib/time.js';

export { handleSummary } from '../lib/summary.js';

const vus = wholeNumber('LOAD_VUS', 2);
const rooms = wholeNumber('LOAD_ROOMS', 2);
const roomSize = wholeNumber('LOAD_ROOM_SIZE', 5);
const perSecond = wholeNumber('LOAD_RATE', 5);
const openS = wholeNumber('LOAD_OPEN_S', 2);
const talkS = wholeNumber('LOAD_TALK_S', 8);

export const options = planOf(
  { smoke: crewOf(vus, openS + talkS) },
  {
    ...NOTHING_WRONG,
    hubbub_connections_cut: ['count==0'],
    // A generous limit: a faulty cluster is seconds late, a busy laptop is not.
    hubbub_delivery_duration: [below(99, wholeNumber('LOAD_P99_MS', 1000))],
    'hubbub_messages_received{encoding:json}': ['count>0'],
    'hubbub_messages_received{encoding:msgpack}': ['count>0'],
  },
);

export default function smoke(): Promise<void> {
  return crashedAsync(async () => {
    const { at } = timetable();
    const crew = createRooms(rooms, { size: roomSize, msgpackEvery: 2, joinsBy: 'frame' });
    await enterAll(membersOf(crew), at(openS));
    await Promise.all(crew.map(room => room.talk(at(openS + talkS), perSecond)));
    await Promise.all(crew.map(room => room.settle()));
    for (const room of crew) room.close();
  });
}
