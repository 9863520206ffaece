/** The status that rosters show of a member: the one set last by a session that is still there. */
import type { Status } from '@hubbub/protocol';
import type { Member } from './room.js';

/**
 * Sets the status of a session of the member; `undefined` takes it back.
 * @returns whether rosters show another status now
 */
export function setSessionStatus(member: Member, session: string, status: Status | undefined): boolean {
  if (status === undefined && member.statuses === undefined && member.status === undefined) return false;
  const statuses = member.statuses ?? new Map<string, Status>();
  // Not moved to the end when it repeats itself: a resync changes nothing.
  if (status === undefined || !isSame(statuses.get(session), status)) statuses.delete(session);
  if (status !== undefined) statuses.set(session, status);
  member.statuses = statuses.size > 0 ? statuses : undefined;
  return showLatest(member);
}

/**
 * Forgets the status of a session that ended. The last session's status stays until the member returns, is away or leaves:
 * a reconnect within the grace is invisible.
 * @returns whether rosters show another status now
 */
export function endSessionStatus(member: Member, session: string): boolean {
  if (member.statuses?.delete(session) && member.statuses.size === 0) member.statuses = undefined;
  return member.sessions.size > 0 && showLatest(member);
}

function showLatest(member: Member): boolean {
  const latest = [...(member.statuses?.values() ?? [])].at(-1);
  const changed = !isSame(member.status, latest);
  member.status = latest;
  return changed;
}

function isSame(one: Status | undefined, other: Status | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
