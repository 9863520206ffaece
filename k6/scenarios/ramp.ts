/** Opens up to 100,000 connections over several k6 processes; at the end each must receive a message. */
import { check } from 'k6';
import exec from 'k6/execution';
import { crashedAsync } from '../lib/crash.js';
import { createRooms, enterAll, membersOf } from '../lib/crew.js';
import { below, crewOf, NOTHING_WRONG, planOf } from '../lib/plan.js';
import { wholeNumber } from '../lib/settings.js';
import { sleep, timetable } from '../lib/time.js';

export { handleSummary } from '../lib/summary.js';

/** Of this process. */
const connections = wholeNumber('LOAD_CONNECTIONS', 1000);
const roomSize = wholeNumber('LOAD_ROOM_SIZE', 100);
const roomsPerUser = wholeNumber('LOAD_ROOMS', 10);
const openS = wholeNumber('LOAD_OPEN_S', 30);
const holdS = wholeNumber('LOAD_HOLD_S', 20);
/** Rooms send one after another within this time: the scenario checks that all receive, not how fast. */
const speakS = wholeNumber('LOAD_SPEAK_S', 20);
const ATTEMPTS = 5;
const allRooms = Math.max(1, Math.ceil(connections / roomSize));
const vus = Math.ceil(allRooms / roomsPerUser);

export const options = planOf(
  { ramp: crewOf(vus, openS + holdS + speakS + 60) },
  {
    ...NOTHING_WRONG,
    checks: ['rate==1'],
    // An overloaded machine refuses some attempts (1013), and clients retry. Clients that never join fail the checks.
    hubbub_connections_failed: [{ threshold: `count<${Math.ceil(connections / 20)}`, abortOnFail: true }],
    hubbub_connections_cut: ['count==0'],
    hubbub_connect_duration: [below(99, wholeNumber('LOAD_CONNECT_P99_MS', 10_000))],
  },
);

export default function ramp(): Promise<void> {
  return crashedAsync(async () => {
    const { at, until } = timetable();
    // The first virtual users take the remainder.
    const mine = Math.floor(allRooms / vus) + ((exec.vu.idInTest - 1) % vus < allRooms % vus ? 1 : 0);
    const crew = createRooms(mine, {
      namespace: 'quiet',
      size: roomSize,
      msgpackEvery: 0,
      joinsBy: 'path',
    });
    await enterAll(membersOf(crew), at(openS), ATTEMPTS);
    await until(openS + holdS);
    for (const [index, room] of crew.entries()) {
      await until(openS + holdS + (speakS * index) / crew.length);
      await sleep((Math.random() * 1000 * speakS) / crew.length);
      await room.say();
    }
    await Promise.all(crew.map(room => room.settle()));
    for (const member of membersOf(crew)) {
      check(member, { 'every member is connected at the end': ({ session }) => session?.isOpen === true });
    }
    for (const room of crew) room.close();
  });
}
