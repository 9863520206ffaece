/** The account that this edge gives of a user, a session or a room. */
import type { Position, Sender } from '@hubbub/protocol';
import {
  ACCOUNT_MAX_BYTES,
  type AccountSubject,
  type NodeAccount,
  type NodeLoad,
  type RefusalAccount,
  type RoomAccount,
} from '@hubbub/protocol/account';
import type { Accounts, GapSubject, RefusedClient } from './accounts.js';
import {
  type AccountedSession,
  type ClosedSession,
  describeClosedSession,
  describeEntry,
  describeSession,
  time,
} from './session-facts.js';

export interface AccountParts {
  readonly node: string;
  readonly accounts: Accounts;
  readonly sessions: Iterable<AccountedSession> & {
    get(id: string): AccountedSession | undefined;
    ofUser(userId: string): Iterable<AccountedSession>;
  };
  /** Members on this edge. */
  readonly membersOf: (room: string) => number;
  /** Up to which this edge has delivered the room's history. */
  readonly positionOf: (room: string) => Position | undefined;
  readonly load: () => NodeLoad;
}

const MEMBERS_MAX = 50;
const SESSIONS_MAX = 100;
/** Room for the envelope's header. */
const BODY_MAX_BYTES = ACCOUNT_MAX_BYTES - 1024;

/** The account, encoded. Its oldest parts are left out until it fits. */
export function encodeAccount(subject: AccountSubject, parts: AccountParts): Uint8Array {
  let account = accountOf(subject, parts);
  for (;;) {
    const encoded = Buffer.from(JSON.stringify(account));
    if (encoded.length <= BODY_MAX_BYTES) return encoded;
    account = halved(account);
  }
}

function accountOf(subject: AccountSubject, parts: AccountParts): NodeAccount {
  const { user_id, room_id } = subject;
  const refused = parts.accounts.refusedClients(
    ({ userId, room }) => (user_id !== undefined && userId === user_id) || (room_id !== undefined && room === room_id),
  );
  return {
    node: parts.node,
    since: time(parts.accounts.startedAtMs),
    load: parts.load(),
    sessions: sessionsOf(subject, parts),
    refusals: refused
      .flatMap(client => refusalsOf(client, parts.node))
      .sort((one, other) => (one.at < other.at ? 1 : -1)),
    rooms: room_id === undefined ? [] : roomAccounts(room_id, parts),
  };
}

/** Newest first. */
function sessionsOf({ user_id, session_id }: AccountSubject, { node, accounts, sessions }: AccountParts) {
  const live = new Set<AccountedSession>();
  const closed = new Set<ClosedSession>();
  const one = session_id === undefined ? undefined : sessions.get(session_id);
  if (one !== undefined) live.add(one);
  const ended = session_id === undefined ? undefined : accounts.closedSession(session_id);
  if (ended !== undefined) closed.add(ended);
  if (user_id !== undefined) {
    for (const session of sessions.ofUser(user_id)) live.add(session);
    for (const session of accounts.closedSessionsOf(user_id)) closed.add(session);
  }
  const described = [
    ...Array.from(live, session =>
      describeSession(session, node, accounts.trailOf(session.id), gapsOf(session, accounts)),
    ),
    ...Array.from(closed, session => describeClosedSession(session, node, gapsOf(session, accounts))),
  ];
  return described.sort((first, second) => (first.connected_at < second.connected_at ? 1 : -1)).slice(0, SESSIONS_MAX);
}

/** Gaps that may have hit the session, if it was there at that time. */
function gapsOf({ user, rooms }: { readonly user: Sender; readonly rooms: Iterable<string> }, accounts: Accounts) {
  const subjects: GapSubject[] = ['every session', { user: user.id }, ...Array.from(rooms, room => ({ room }))];
  return subjects.flatMap(subject => accounts.gapsOf(subject)?.entries ?? []);
}

function refusalsOf({ userId, room, address, trail }: RefusedClient, node: string): RefusalAccount[] {
  return trail.entries.map(entry => {
    const { event: _event, code = '', reason = '', ...facts } = describeEntry(entry);
    return {
      node,
      ...facts,
      code,
      reason,
      ...(userId !== undefined && { user_id: userId }),
      ...(room !== undefined && { room }),
      ...(address !== undefined && { address }),
    };
  });
}

function roomAccounts(room: string, { node, accounts, sessions, membersOf, positionOf }: AccountParts): RoomAccount[] {
  const count = membersOf(room);
  const entries = accounts.gapsOf({ room })?.entries ?? [];
  if (count === 0 && entries.length === 0) return [];
  const members: RoomAccount['members'] = [];
  for (const { id, user, rooms } of count === 0 ? [] : sessions) {
    if (!rooms.has(room)) continue;
    members.push({ session_id: id, user_id: user.id });
    if (members.length === Math.min(count, MEMBERS_MAX)) break;
  }
  return [
    { room_id: room, node, session_count: count, members, ...positionOf(room), entries: entries.map(describeEntry) },
  ];
}

/** Half of each list; of the sessions' entries too once one session is left. */
function halved(account: NodeAccount): NodeAccount {
  const half = <Item>(items: readonly Item[]): Item[] => items.slice(0, Math.floor(items.length / 2));
  const { sessions, refusals, rooms } = account;
  const [only] = sessions;
  return {
    ...account,
    truncated: true,
    sessions:
      sessions.length === 1 && only !== undefined
        ? [{ ...only, rooms: half(only.rooms), entries: only.entries.slice(Math.ceil(only.entries.length / 2)) }]
        : half(sessions),
    refusals: half(refusals),
    rooms: rooms.map(room => ({ ...room, members: half(room.members) })),
  };
}
