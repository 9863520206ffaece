/** Measures latency: rooms with steady talk for a minute. */
import { crashedAsync } from '../lib/crash.js';
import { createRooms, enterAll, membersOf } from '../lib/crew.js';
import { below, crewOf, NOTHING_WRONG, planOf } from '../lib/plan.js';
import { wholeNumber } from '../lib/settings.js';
import { timetable } from '../lib/time.js';

export { handleSummary } from '../lib/summary.js';

const vus = wholeNumber('LOAD_VUS', 4);
const rooms = wholeNumber('LOAD_ROOMS', 10);
const roomSize = wholeNumber('LOAD_ROOM_SIZE', 10);
/** Messages a second in each room. */
const perSecond = wholeNumber('LOAD_RATE', 5);
const openS = wholeNumber('LOAD_OPEN_S', 10);
const talkS = wholeNumber('LOAD_TALK_S', 60);

export const options = planOf(
  { steady: crewOf(vus, openS + talkS) },
  {
    ...NOTHING_WRONG,
    hubbub_connections_cut: ['count==0'],
    hubbub_delivery_duration: [below(95, wholeNumber('LOAD_P95_MS', 100)), below(99, wholeNumber('LOAD_P99_MS', 250))],
    hubbub_ack_duration: [below(99, wholeNumber('LOAD_P99_MS', 250))],
    'hubbub_messages_received{encoding:json}': ['count>0'],
    'hubbub_messages_received{encoding:msgpack}': ['count>0'],
  },
);

export default function steadyChat(): Promise<void> {
  return crashedAsync(async () => {
    const { at } = timetable();
    const crew = createRooms(rooms, { size: roomSize, msgpackEvery: 5, joinsBy: 'frame' });
    await enterAll(membersOf(crew), at(openS));
    await Promise.all(crew.map(room => room.talk(at(openS + talkS), perSecond)));
    await Promise.all(crew.map(room => room.settle()));
    for (const room of crew) room.close();
  });
}
