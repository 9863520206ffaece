/** A crowd connects within seconds, stays briefly and leaves. The latency of existing members must stay within limits. */
import { crashedAsync } from '../lib/crash.js';
import { createRooms, enterAll, membersOf } from '../lib/crew.js';
import { below, crewOf, NOTHING_WRONG, planOf } from '../lib/plan.js';
import { role, wholeNumber } from '../lib/settings.js';
import { timetable } from '../lib/time.js';

export { handleSummary } from '../lib/summary.js';

const openS = wholeNumber('LOAD_OPEN_S', 5);
const spikeAtS = openS + wholeNumber('LOAD_BEFORE_S', 15);
const spikeOpenS = wholeNumber('LOAD_SPIKE_OPEN_S', 5);
const spikeHoldS = wholeNumber('LOAD_SPIKE_HOLD_S', 10);
const spikeEndS = spikeAtS + spikeOpenS + spikeHoldS;
const endS = spikeEndS + wholeNumber('LOAD_AFTER_S', 10);
const perSecond = wholeNumber('LOAD_RATE', 5);
const baseRooms = wholeNumber('LOAD_BASE_ROOMS', 10);
const crowdUsers = wholeNumber('LOAD_CROWD_VUS', 4);
const crowdRooms = wholeNumber('LOAD_CROWD_ROOMS', 25);
const roomSize = wholeNumber('LOAD_ROOM_SIZE', 20);

const parts = { base: crewOf(1, endS, 'base'), crowd: crewOf(crowdUsers, endS, 'crowd') };
const mine = Object.entries(parts).filter(([name]) => role === undefined || role === name);
const hasBase = role !== 'crowd';
const hasCrowd = role !== 'base';

export const options = planOf(Object.fromEntries(mine), {
  ...NOTHING_WRONG,
  hubbub_connections_cut: ['count==0'],
  ...(hasBase && {
    'hubbub_delivery_duration{phase:before}': [below(99, wholeNumber('LOAD_P99_MS', 250))],
    'hubbub_delivery_duration{phase:during}': [below(99, wholeNumber('LOAD_SPIKE_P99_MS', 1000))],
    'hubbub_delivery_duration{phase:after}': [below(99, wholeNumber('LOAD_P99_MS', 250))],
  }),
  ...(hasCrowd && { 'hubbub_connect_duration{scenario:crowd}': [below(99, wholeNumber('LOAD_CONNECT_P99_MS', 5000))] }),
});

export function base(): Promise<void> {
  return crashedAsync(async () => {
    const { at } = timetable();
    const phase = (): string =>
      Date.now() < at(spikeAtS) ? 'before' : Date.now() < at(spikeEndS + 2) ? 'during' : 'after';
    const crew = createRooms(baseRooms, {
      size: 10,
      msgpackEvery: 5,
      joinsBy: 'frame',
      tags: () => ({ phase: phase() }),
    });
    await enterAll(membersOf(crew), at(openS));
    await Promise.all(crew.map(room => room.talk(at(endS), perSecond)));
    await Promise.all(crew.map(room => room.settle()));
    for (const room of crew) room.close();
  });
}

export function crowd(): Promise<void> {
  return crashedAsync(async () => {
    const { at, until } = timetable();
    const crew = createRooms(crowdRooms, {
      size: roomSize,
      msgpackEvery: 5,
      joinsBy: 'frame',
      tags: () => ({ phase: 'crowd' }),
    });
    await until(spikeAtS);
    await enterAll(membersOf(crew), at(spikeAtS + spikeOpenS));
    await Promise.all(crew.map(room => room.talk(at(spikeEndS), 1)));
    await Promise.all(crew.map(room => room.settle()));
    for (const room of crew) room.close();
  });
}
