/**
 * Some members of busy rooms stop reading for a while. The others must not notice.
 * The slow ones must read every message, or receive a report of the loss.
 * k6 itself always reads, whatever its scripts do. The slow members therefore have their own k6 process (role `slow`), and the
 * runner freezes it, like a laptop with a closed lid.
 */
import { check } from 'k6';
import exec from 'k6/execution';
import { crashedAsync } from '../lib/crash.js';
import { createRooms, enterAll, membersOf } from '../lib/crew.js';
import { Member } from '../lib/member.js';
import { below, crewOf, NOTHING_WRONG, planOf } from '../lib/plan.js';
import { edgeUrls, role, run, wholeNumber } from '../lib/settings.js';
import { timetable } from '../lib/time.js';

export { handleSummary } from '../lib/summary.js';

const rooms = wholeNumber('LOAD_ROOMS', 1);
const roomSize = wholeNumber('LOAD_ROOM_SIZE', 10);
const slowPerRoom = wholeNumber('LOAD_SLOW', 10);
const perSecond = wholeNumber('LOAD_RATE', 90);
const paddingBytes = wholeNumber('LOAD_PADDING_BYTES', 3500);
const openS = wholeNumber('LOAD_OPEN_S', 5);
const talkS = wholeNumber('LOAD_TALK_S', 80);
const freezeAtS = wholeNumber('LOAD_FREEZE_AT_S', 15);
const freezeS = wholeNumber('LOAD_FREEZE_S', 45);
/** Largest age of the last message of a member that still reads. */
const LATELY_MS = 3000;

const parts = { steady: crewOf(1, openS + talkS, 'steady'), slow: crewOf(1, openS + talkS, 'slow') };
const mine = Object.entries(parts).filter(([name]) => role === undefined || role === name);

export const options = planOf(Object.fromEntries(mine), {
  ...NOTHING_WRONG,
  ...(role === 'slow' && { checks: ['rate==1'] }),
  ...(role === 'steady' && {
    hubbub_connections_cut: ['count==0'],
    'hubbub_delivery_duration{phase:before}': [below(99, wholeNumber('LOAD_P99_MS', 250))],
    'hubbub_delivery_duration{phase:frozen}': [below(99, wholeNumber('LOAD_P99_MS', 250))],
    'hubbub_delivery_duration{phase:after}': [below(99, wholeNumber('LOAD_P99_MS', 250))],
  }),
});

export function steady(): Promise<void> {
  return crashedAsync(async () => {
    const { at } = timetable();
    const phase = (): string =>
      Date.now() < at(freezeAtS) ? 'before' : Date.now() < at(freezeAtS + freezeS) ? 'frozen' : 'after';
    const crew = createRooms(rooms, {
      namespace: 'kept',
      size: roomSize,
      msgpackEvery: 0,
      joinsBy: 'frame',
      paddingBytes,
      tags: () => ({ phase: phase() }),
    });
    await enterAll(membersOf(crew), at(openS));
    await Promise.all(crew.map(room => room.talk(at(openS + talkS), perSecond)));
    await Promise.all(crew.map(room => room.settle()));
    for (const room of crew) room.close();
  });
}

export function slow(): Promise<void> {
  return crashedAsync(async () => {
    const { at, until } = timetable();
    const members = slowMembers();
    await enterAll(members, at(openS));
    await until(openS + talkS - 1);
    for (const member of members) {
      check(member, {
        'a slow reader is connected at the end': ({ session }) => session?.isOpen === true,
        'a slow reader reads current messages': ({ lastReadAt }) => Date.now() - lastReadAt < LATELY_MS,
      });
      member.giveUp(true);
      member.leave();
    }
  });
}

/** Joins the rooms of the first process (role `steady`); the names must match. */
function slowMembers(): Member[] {
  return Array.from({ length: rooms * slowPerRoom }, (_, index) => {
    const room = (index % rooms) + 1;
    return new Member({
      room: `kept:${run}-1-1-${room}`,
      user: `${run}-slow-${exec.vu.idInTest}-${index}`,
      encoding: 'json',
      edge: index % edgeUrls.length,
      joinsBy: 'frame',
      reconnects: true,
      fromTheStart: false,
      tags: () => ({ phase: 'slow' }),
    });
  });
}
