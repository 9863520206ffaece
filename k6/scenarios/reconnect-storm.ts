/**
 * All listeners lose their connections simultaneously and resume with full jitter, while the talkers continue.
 * The first time all listeners close, as after a broken network. Then the runner may kill an edge. No message may be missing.
 */
import { check } from 'k6';
import { crashedAsync } from '../lib/crash.js';
import { createRooms, enterAll, membersOf } from '../lib/crew.js';
import { below, crewOf, NOTHING_WRONG, planOf } from '../lib/plan.js';
import { edgeUrls, wholeNumber } from '../lib/settings.js';
import { timetable } from '../lib/time.js';

export { handleSummary } from '../lib/summary.js';

const vus = wholeNumber('LOAD_VUS', 4);
const rooms = wholeNumber('LOAD_ROOMS', 25);
const roomSize = wholeNumber('LOAD_ROOM_SIZE', 20);
const perSecond = wholeNumber('LOAD_RATE', 2);
const openS = wholeNumber('LOAD_OPEN_S', 15);
const cutAfterS = wholeNumber('LOAD_CUT_AFTER_S', 5);
const talkS = wholeNumber('LOAD_TALK_S', 40);
/** Whether the runner kills the last edge: talkers avoid it then. */
const killsEdge = wholeNumber('LOAD_KILLS_EDGE', 0) === 1;
/** `kept` has a history. A run with 0, in rooms without one, must fail: it shows that the checks work. */
const namespace = wholeNumber('LOAD_HISTORY', 1) === 1 ? 'kept' : 'load';

export const options = planOf(
  { storm: crewOf(vus, openS + talkS) },
  {
    ...NOTHING_WRONG,
    // Attempts at the dead edge fail, and clients retry at another one.
    hubbub_connections_failed: killsEdge ? [] : ['count==0'],
    hubbub_errors: [],
    'hubbub_errors{code:UNAVAILABLE}': [], // Clients retry.
    'hubbub_errors{code:FORBIDDEN}': ['count==0'],
    'hubbub_errors{code:INVALID_PAYLOAD}': ['count==0'],
    hubbub_connections_cut: killsEdge ? ['count>0'] : ['count==0'],
    hubbub_recovered: ['rate==1'],
    hubbub_returns: ['count>0'],
    checks: ['rate==1'],
    hubbub_return_duration: [below(99, wholeNumber('LOAD_RETURN_P99_MS', 10_000))],
  },
);

export default function reconnectStorm(): Promise<void> {
  return crashedAsync(async () => {
    const { at, until } = timetable();
    const crew = createRooms(rooms, {
      namespace,
      size: roomSize,
      msgpackEvery: 5,
      joinsBy: 'frame',
      reconnects: true,
      talkerEdges: killsEdge ? edgeUrls.length - 1 : edgeUrls.length,
    });
    await enterAll(membersOf(crew), at(openS));
    const talking = Promise.all(crew.map(room => room.talk(at(openS + talkS), perSecond)));
    await until(openS + cutAfterS);
    await Promise.all(crew.flatMap(room => room.listeners).map(member => member.cut()));
    await talking;
    await Promise.all(crew.map(room => room.settle()));
    for (const member of membersOf(crew)) {
      check(member, { 'every member is connected at the end': ({ session }) => session?.isOpen === true });
    }
    for (const room of crew) room.close();
  });
}
