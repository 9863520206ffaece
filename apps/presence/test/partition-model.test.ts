/** Random histories of edges, users and crashes against a model that is too simple to be wrong. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GRACE_MS, PartitionBench } from './support/partition-bench.js';

const ROOMS = ['red', 'blue'];
const USERS = ['u0', 'u1', 'u2', 'u3'];
const EDGES = 3;

/** One user in one room: live sessions, or the time until which its place is kept for a reconnect. */
interface Membership {
  readonly sessions: Set<string>;
  untilMs: number;
}

class Model {
  readonly rooms = new Map(ROOMS.map(room => [room, new Map<string, Membership>()]));
  /** Session → its edge and rooms. */
  readonly sessions = new Map<string, { readonly user: string; readonly edge: number; readonly rooms: Set<string> }>();

  roster(room: string, nowMs: number): string[] {
    const members = this.rooms.get(room) ?? new Map<string, Membership>();
    for (const [user, { sessions, untilMs }] of members)
      if (sessions.size === 0 && untilMs <= nowMs) members.delete(user);
    return [...members.keys()].sort();
  }

  join(room: string, user: string, session: string): void {
    const members = this.rooms.get(room);
    const member = members?.get(user) ?? { sessions: new Set(), untilMs: 0 };
    member.sessions.add(session);
    members?.set(user, member);
  }

  leave(room: string, user: string, session: string): void {
    const member = this.rooms.get(room)?.get(user);
    member?.sessions.delete(session);
    if (member?.sessions.size === 0) this.rooms.get(room)?.delete(user);
  }

  drop(room: string, user: string, session: string, nowMs: number): void {
    const member = this.rooms.get(room)?.get(user);
    if (member?.sessions.delete(session) && member.sessions.size === 0) member.untilMs = nowMs + GRACE_MS;
  }
}

/** The view of a member that gets every event and drops those that are not newer. */
class Listener {
  readonly users = new Set<string>();
  version = 0;

  hear(type: string, payload: Record<string, unknown>): void {
    const version = payload.version as number;
    if (type !== 'user_joined' && type !== 'user_left') return;
    expect(version, 'versions go up').toBeGreaterThan(this.version);
    this.version = version;
    const { id } = payload.user as { id: string };
    if (type === 'user_joined') {
      expect(this.users.has(id), `${id} joins once`).toBe(false);
      this.users.add(id);
    } else {
      expect(this.users.delete(id), `${id} leaves once`).toBe(true);
    }
    expect(payload.count, 'the count is exact').toBe(this.users.size);
  }
}

const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      edge: fc.nat(EDGES - 1),
      user: fc.constantFrom(...USERS),
      room: fc.constantFrom(...ROOMS),
      pick: fc.nat(9),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), pick: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('close' as const), pick: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 1000, GRACE_MS - 1, GRACE_MS, GRACE_MS + 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), edge: fc.nat(EDGES - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resync' as const), edge: fc.nat(EDGES - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('takeOver' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

class History {
  readonly bench = new PartitionBench();
  readonly model = new Model();
  readonly listeners = new Map(ROOMS.map(room => [room, new Listener()]));
  readonly #incarnations = Array.from({ length: EDGES }, () => 0);
  #sessions = 0;

  play(step: Action): void {
    const { bench, model } = this;
    if (step.do === 'join') this.#join(step.edge, step.user, step.room, step.pick);
    else if (step.do === 'wait') bench.advance(step.ms);
    else if (step.do === 'takeOver') bench.takeOver();
    else if (step.do === 'die') this.#die(step.edge);
    else if (step.do === 'resync') this.#resync(step.edge);
    else {
      const [session, at] = [...model.sessions][step.pick % Math.max(1, model.sessions.size)] ?? [];
      if (session === undefined || at === undefined) return;
      if (step.do === 'close') this.#close(session);
      else {
        const [room] = at.rooms;
        if (room === undefined) return;
        at.rooms.delete(room);
        bench.leave(this.#incarnation(at.edge), session, at.user, room);
        model.leave(room, at.user, session);
      }
    }
  }

  check(): void {
    const { bench, model, listeners } = this;
    for (const { room, type, payload } of bench.announcements.splice(0)) listeners.get(room)?.hear(type, payload);
    for (const room of ROOMS) {
      const expected = model.roster(room, bench.nowMs);
      expect(bench.roster(room), `roster of ${room}`).toEqual(expected);
      expect([...(listeners.get(room)?.users ?? [])].sort(), `what ${room} heard`).toEqual(expected);
      expect([...(bench.hashes.get(`room:${room}`)?.keys() ?? [])].sort(), `registry of ${room}`).toEqual(expected);
    }
  }

  #join(edge: number, user: string, room: string, pick: number): void {
    const own = [...this.model.sessions].filter(([, at]) => at.user === user && at.edge === edge);
    const [known] = own[pick] ?? [];
    const session = known ?? `s${this.#sessions++}`;
    const at = this.model.sessions.get(session) ?? { user, edge, rooms: new Set<string>() };
    this.model.sessions.set(session, at);
    at.rooms.add(room);
    this.bench.join(this.#incarnation(edge), session, user, room);
    this.model.join(room, user, session);
  }

  #close(session: string): void {
    const at = this.model.sessions.get(session);
    this.model.sessions.delete(session);
    for (const room of at?.rooms ?? []) {
      this.bench.drop(this.#incarnation(at?.edge ?? 0), session, at?.user, room);
      this.model.drop(room, at?.user ?? '', session, this.bench.nowMs);
    }
  }

  /** Presence declares the edge dead. */
  #die(edge: number): void {
    const gone = this.#incarnation(edge);
    this.bench.report('presence/x', { kind: 'node_gone', gone });
    this.bench.advance(0);
    for (const [session, at] of [...this.model.sessions]) {
      if (at.edge !== edge) continue;
      this.model.sessions.delete(session);
      for (const room of at.rooms) this.model.drop(room, at.user, session, this.bench.nowMs);
    }
    this.#incarnations[edge] = (this.#incarnations[edge] ?? 0) + 1;
  }

  /** The edge was only paused, and reports everything again; one earlier report arrives late. */
  #resync(edge: number): void {
    const gone = this.#incarnation(edge);
    this.#incarnations[edge] = (this.#incarnations[edge] ?? 0) + 1;
    this.bench.report(this.#incarnation(edge), { kind: 'node_gone', gone });
    for (const [session, { user, edge: at, rooms }] of this.model.sessions) {
      if (at !== edge) continue;
      for (const room of rooms) this.bench.join(this.#incarnation(edge), session, user, room, { resync: true });
    }
    this.bench.join(gone, 'late', 'u0', 'red');
  }

  #incarnation(edge: number): string {
    return `edge-${edge}/${this.#incarnations[edge]}`;
  }
}

test('in any order of events, rosters, events and registry match the model', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: 'max' }), steps => {
      const history = new History();
      for (const step of steps) {
        history.play(step);
        history.check();
      }
      history.bench.advance(10 * GRACE_MS);
      history.check();
    }),
    { numRuns: 300, seed: 20_251_121 },
  );
});
