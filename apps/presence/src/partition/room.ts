/** One room as its partition holds it: members by user, and the last announcement. */
import type { RosterUser, Status } from '@hubbub/protocol';
import type { NamespaceRules } from './rules.js';

/** A user in a room. */
export interface Member {
  readonly id: string;
  name: string;
  /** Session → index of its incarnation. Empty while the user is leaving or away. */
  readonly sessions: Map<string, number>;
  /** As rosters show it (member-status.ts). */
  status?: Status | undefined;
  /** Session → its own status, in the order in which they were set. Absent without any. */
  statuses?: Map<string, Status> | undefined;
  /** `leaving`: the last connection ended, the grace runs. `away`: kept as `online: false`. */
  state: 'here' | 'leaving' | 'away';
  /** When `leaving` or `away` ends. */
  dueAtMs: number;
  /** When the last connection of a kept member ended; not announced before it is `away`. */
  lastSeenMs?: number | undefined;
  /** Pages of the roster go by it. */
  readonly order: number;
}

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
    const member: Member = { id, name, sessions: new Map(), state: 'here', dueAtMs: 0, order: ++this.#lastOrder };
    this.members.set(id, member);
    return member;
  }

  /** A member as the registry has it; its place in the order is where it is read. */
  restore(member: Omit<Member, 'order'>): void {
    this.members.set(member.id, { ...member, order: ++this.#lastOrder });
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
  return {
    id: member.id,
    name: member.name,
    ...(member.state === 'away' && { online: false as const }),
    ...lastSeen(member),
    ...(member.status !== undefined && { status: member.status }),
  };
}
