/** Sends steadily for a long time, while members join and leave. Messages, latency and the edges' memory must stay right. */
import { crashedAsync } from '../lib/crash.js';
import { createRooms, enterAll, membersOf } from '../lib/crew.js';
import { below, crewOf, NOTHING_WRONG, planOf } from '../lib/plan.js';
import type { Room } from '../lib/room.js';
import { wholeNumber } from '../lib/settings.js';
import { sleep, timetable } from '../lib/time.js';

export { handleSummary } from '../lib/summary.js';

const vus = wholeNumber('LOAD_VUS', 2);
const rooms = wholeNumber('LOAD_ROOMS', 10);
const roomSize = wholeNumber('LOAD_ROOM_SIZE', 10);
const perSecond = wholeNumber('LOAD_RATE', 2);
/** Time between two members that leave a room and join again without a position. */
const churnMs = wholeNumber('LOAD_CHURN_MS', 3000);
const openS = wholeNumber('LOAD_OPEN_S', 10);
const talkS = wholeNumber('LOAD_TALK_S', 1800);
const AWAY_MS = 500;

export const options = planOf(
  { soak: crewOf(vus, openS + talkS) },
  {
    ...NOTHING_WRONG,
    hubbub_connections_cut: ['count==0'],
    hubbub_delivery_duration: [below(95, wholeNumber('LOAD_P95_MS', 100)), below(99, wholeNumber('LOAD_P99_MS', 250))],
  },
);

export default function soak(): Promise<void> {
  return crashedAsync(async () => {
    const { at } = timetable();
    const crew = createRooms(rooms, { size: roomSize, msgpackEvery: 5, joinsBy: 'frame' });
    await enterAll(membersOf(crew), at(openS));
    const end = at(openS + talkS);
    await Promise.all(crew.flatMap(room => [room.talk(end, perSecond), churn(room, end)]));
    await Promise.all(crew.map(room => room.settle()));
    for (const room of crew) room.close();
  });
}

async function churn(room: Room, end: number): Promise<void> {
  for (let turn = 0; Date.now() + churnMs + AWAY_MS < end; turn++) {
    await sleep(churnMs * (0.5 + Math.random()));
    const member = room.listeners[turn % room.listeners.length];
    member?.giveUp(true);
    member?.leave();
    member?.forget();
    await sleep(AWAY_MS);
    await member?.enter();
  }
}
