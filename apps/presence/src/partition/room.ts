/** One room as its partition holds it: members by user, and the last announcement. */
import type { RosterUser, Status } from '@hubbub/protocol';
import type { NamespaceRules } from './rules.js';
import { SmallMap } from './small-map.js';

/** A user in a room. A class, so that fields which are set later need no memory of their own. */
export class Member {
  /** Session → index of its incarnation. Empty while the user is leaving or away. */
  readonly sessions: SmallMap<number>;
  /** As rosters show it (member-status.ts). */
  status: Status | undefined = undefined;
  /** Session → its own status, in the order in which they were set. Absent without any. */
  statuses: Map<string, Status> | undefined = undefined;
  /** `leaving`: the last connection ended, the grace runs. `away`: kept as `online: false`. */
  state: 'here' | 'leaving' | 'away' = 'here';
  /** When `leaving` or `away` ends. */
  dueAtMs = 0;
  /** When the last connection of a kept member ended; not announced before it is `away`. */
  lastSeenMs: number | undefined = undefined;

  constructor(
    readonly id: string,
    public name: string,
    /** Pages of the roster go by it. */
    readonly order: number,
    sessions = new SmallMap<number>(),
  ) {
    this.sessions = sessions;
  }
}

/** A member as the registry has it. */
export type StoredMember = Omit<Member, 'order'>;

export class Room {
  readonly name: string;
  readonly rules: NamespaceRules;
  readonly members = new Map<string, Member>();
  version: number;
  /** The registry may hold something else under this name: a room that was just opened. */
  stored: boolean;
  /** Members hear counts instead of names. */
  counting: boolean;
  /** A count has been promised for this time. */
  countDueAtMs: number | undefined;
  /** No count before. */
  nextCountAtMs = 0;
  #lastOrder = 0;

  constructor(name: string, rules: NamespaceRules, version: number, stored: boolean) {
    this.name = name;
    this.rules = rules;
    this.version = version;
    this.stored = stored;
    this.counting = rules.presence === 'counts';
  }

  /** Its entry in the registry's index of rooms. */
  get indexEntry(): string {
    return `${this.version} ${this.members.size}`;
  }

  add(id: string, name: string): Member {
    const member = new Member(id, name, ++this.#lastOrder);
    this.members.set(id, member);
    return member;
  }

  /** A member as the registry has it; its place in the order is where it is read. */
  restore({ id, name, sessions, ...state }: StoredMember): void {
    this.members.set(id, Object.assign(new Member(id, name, ++this.#lastOrder, sessions), state));
  }

  /** A page of the roster: the users after `after`, and what to ask for next when there are more. */
  page(size: number, after = 0): { users: RosterUser[]; next?: number } {
    const users: RosterUser[] = [];
    let last = after;
    for (const member of this.members.values()) {
      if (member.order <= after) continue;
      if (users.length === size) return { users, next: last };
      users.push(rosterUser(member));
      last = member.order;
    }
    return { users };
  }
}

/** When a member that is away was seen last; nothing for the others. */
export function lastSeen({ state, lastSeenMs }: Pick<Member, 'state' | 'lastSeenMs'>): { last_seen?: string } {
  return state === 'away' && lastSeenMs !== undefined ? { last_seen: new Date(lastSeenMs).toISOString() } : {};
}

/** The member as rosters show it. Within the grace a dropped member still looks online. */
export function rosterUser(member: Member): RosterUser {
  // Nearly all members, and a page has a hundred.
  if (member.state !== 'away' && member.status === undefined) return { id: member.id, name: member.name };
  return {
    id: member.id,
    name: member.name,
    ...(member.state === 'away' && { online: false as const }),
    ...lastSeen(member),
    ...(member.status !== undefined && { status: member.status }),
  };
}
