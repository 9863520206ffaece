/** The members and talkers of a measurement, by room. */

/**
 * @param {{ rooms: readonly string[], members: number, talkers?: number, relay: import('../relays/catalogue.mjs').Relay,
 *   running: import('../relays/catalogue.mjs').RunningRelay }} options members and talkers of each room
 * @returns {import('./member.mjs').MemberRequest[]}
 */
export function requestsOf({ rooms, members, talkers = 0, relay, running }) {
  return rooms.flatMap((roomName, room) =>
    Array.from({ length: members + talkers }, (_, i) => {
      const member = room * (members + talkers) + i;
      const headers = running.headers(member, relay.subprotocol?.(member));
      return { room, roomName, headers, ...(i < talkers && { talks: true }) };
    }),
  );
}

/** Names of one length. @param {number} count @returns {string[]} */
export function roomNames(count, prefix = 'room-') {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(5, '0')}`);
}

/** Members that justify another process, where there are cores for it. */
const MEMBERS_PER_PROCESS_MIN = 250;
const LOAD_PROCESSES_MAX = 4;

/** @param {number} members @param {import('../machine/pinning.mjs').Pinning} pinning */
export function processesFor(members, { loadCores }) {
  return Math.max(1, Math.min(loadCores, LOAD_PROCESSES_MAX, Math.floor(members / MEMBERS_PER_PROCESS_MIN)));
}
