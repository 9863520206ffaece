/** Creates the rooms of one virtual user, and connects their members at a steady pace. */
import exec from 'k6/execution';
import type { Member } from './member.js';
import { Room, type RoomOptions } from './room.js';
import { sleep } from './time.js';

/** Handshakes of a virtual user in flight: more would only wait for each other. */
const IN_FLIGHT_LIMIT = 64;

export function createRooms(count: number, options: RoomOptions): Room[] {
  return Array.from({ length: count }, (_, index) => new Room(exec.vu.idInTest, index + 1, options));
}

const FIRST_DELAY_MS = 1000;

/**
 * Connects all members, spread evenly until then (milliseconds since 1970), with a number of attempts each.
 * Resolves when each has joined or failed. Counts every failed attempt.
 */
export async function enterAll(members: readonly Member[], until: number, attempts = 1): Promise<void> {
  const start = Date.now();
  const inFlight = new Set<Promise<unknown>>();
  for (const [index, member] of members.entries()) {
    await sleep(start + ((until - start) * index) / members.length - Date.now());
    if (inFlight.size >= IN_FLIGHT_LIMIT) await Promise.race(inFlight);
    const entering: Promise<unknown> = enter(member, attempts).finally(() => inFlight.delete(entering));
    inFlight.add(entering);
  }
  await Promise.all(inFlight);
}

/** Retries as refused clients do: with exponential backoff and full jitter. */
async function enter(member: Member, attempts: number): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await member.enter()) return;
    if (attempt + 1 < attempts) await sleep(Math.random() * FIRST_DELAY_MS * 2 ** attempt);
  }
}

export function membersOf(rooms: readonly Room[]): Member[] {
  return rooms.flatMap(room => room.members);
}
