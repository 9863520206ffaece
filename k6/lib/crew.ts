/** The rooms of one virtual user, opened at a pace, all in one event loop. */
import exec from 'k6/execution';
import type { Member } from './member.js';
import { Room, type RoomOptions } from './room.js';
import { sleep } from './time.js';

/** Handshakes that a virtual user has under way: more of them only wait for each other. */
const UNDER_WAY_LIMIT = 64;

export function createRooms(count: number, options: RoomOptions): Room[] {
  return Array.from({ length: count }, (_, index) => new Room(exec.vu.idInTest, index + 1, options));
}

const FIRST_DELAY_MS = 1000;

/**
 * Lets all of them enter, spread evenly until then (milliseconds since 1970), with so many attempts each. Resolves when all have,
 * or could not. Every attempt that fails is counted.
 */
export async function enterAll(members: readonly Member[], until: number, attempts = 1): Promise<void> {
  const start = Date.now();
  const underWay = new Set<Promise<unknown>>();
  for (const [index, member] of members.entries()) {
    await sleep(start + ((until - start) * index) / members.length - Date.now());
    if (underWay.size >= UNDER_WAY_LIMIT) await Promise.race(underWay);
    const entering: Promise<unknown> = enter(member, attempts).finally(() => underWay.delete(entering));
    underWay.add(entering);
  }
  await Promise.all(underWay);
}

/** As clients do that are told to come again: exponential backoff with full jitter. */
async function enter(member: Member, attempts: number): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await member.enter()) return;
    if (attempt + 1 < attempts) await sleep(Math.random() * FIRST_DELAY_MS * 2 ** attempt);
  }
}

export function membersOf(rooms: readonly Room[]): Member[] {
  return rooms.flatMap(room => room.members);
}
