/** Reports that wait for a full log: compaction leaves presence in the state that all of them would have left it in. */
import type { Report } from '@hubbub/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compactReports, type QueuedReport, ReportQueue } from '../src/presence/report-queue.js';

const ROOM = 'red';

function queued(kind: Report['kind'], session: string, isNew = false, status?: string): QueuedReport {
  const user = `user-${session}`;
  if (kind === 'join')
    return { report: { kind, room: ROOM, session, user, name: user, ...(status && { status }) }, isNew };
  if (kind === 'status') return { report: { kind, room: ROOM, session, user, ...(status && { status }) }, isNew };
  if (kind === 'roster') return { report: { kind, room: ROOM, session, question: 1 }, isNew };
  if (kind === 'node_gone') return { report: { kind, gone: session }, isNew };
  if (kind === 'connect' || kind === 'disconnect') return { report: { kind, session, user }, isNew };
  return { report: { kind, room: ROOM, session, user }, isNew };
}

const kinds = (reports: readonly QueuedReport[]): string[] => reports.map(({ report }) => report.kind);

describe('compaction', () => {
  test('a new join and its leave cancel out; of a known member, the leave stays', () => {
    expect(compactReports([queued('join', 'a', true), queued('leave', 'a')])).toEqual([]);
    expect(kinds(compactReports([queued('join', 'a'), queued('leave', 'a')]))).toEqual(['leave']);
  });

  test('a session that came and went leaves nothing, and its neighbor stays', () => {
    const reports = [
      queued('connect', 'a', true),
      queued('join', 'a', true),
      queued('enter', 'a', true),
      queued('join', 'b', true),
      queued('drop', 'a'),
      queued('disconnect', 'a'),
    ];
    expect(compactReports(reports)).toEqual([queued('join', 'b', true)]);
  });

  test('a member that left and joined again does both', () => {
    expect(kinds(compactReports([queued('leave', 'a'), queued('join', 'a', true)]))).toEqual(['leave', 'join']);
  });

  test('of several statuses the last one stays, after the join', () => {
    const reports = [queued('join', 'a', true), queued('status', 'a', false, 'x'), queued('status', 'a', false, 'y')];
    expect(compactReports(reports)).toEqual([queued('join', 'a', true), queued('status', 'a', false, 'y')]);
  });

  test('presence ends in the same state, whatever happened', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(5)), { maxLength: 40 }), steps => {
        const known = new Presence();
        const edge = new EdgeModel();
        // Reports from before the log was full reached presence.
        for (const step of steps.slice(0, steps.length / 2)) edge.step(...step);
        for (const report of edge.reports) known.apply(report);
        const before = known.copy();
        edge.reports.length = 0;
        for (const step of steps.slice(steps.length / 2)) edge.step(...step);
        for (const report of edge.reports) known.apply(report);
        for (const report of compactReports(edge.reports)) before.apply(report);
        expect(before).toEqual(known);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a queue', () => {
  test('stays as small as the sessions are few, however many come and go', () => {
    const queue = new ReportQueue();
    for (let i = 0; i < 100_000; i++) {
      queue.add(queued('join', `s${i}`, true), i);
      if (i >= 100) queue.add(queued('drop', `s${i - 100}`), i);
    }
    expect(queue.size).toBeLessThan(5000);
    expect(queue.sinceMs).toBe(0);
  });

  test('keeps the order of what the log did not take and what came meanwhile', () => {
    const queue = new ReportQueue();
    queue.add(queued('join', 'a', true), 10);
    const taken = queue.take(5);
    queue.add(queued('leave', 'a'), 20);
    queue.putBack(taken, 10);
    expect(queue.sinceMs).toBe(10);
    expect(kinds(queue.take(5))).toEqual(['join', 'leave']);
  });
});

/** The state of presence, as far as these reports change it. */
class Presence {
  sessions: Record<string, string[]> = {};
  members: Record<string, string> = {};

  copy(): Presence {
    return Object.assign(new Presence(), structuredClone({ sessions: this.sessions, members: this.members }));
  }

  apply({ report }: QueuedReport): void {
    if (!('session' in report)) return;
    const { session } = report;
    const entries = this.sessions[session];
    if (report.kind === 'connect') this.sessions[session] = [];
    else if (report.kind === 'disconnect') delete this.sessions[session];
    else if (report.kind === 'enter' && entries?.includes(report.room) === false) entries.push(report.room);
    else if (report.kind === 'exit' && entries !== undefined) {
      this.sessions[session] = entries.filter(room => room !== report.room);
    } else if (report.kind === 'join') this.members[session] = String(report.status ?? '');
    else if (report.kind === 'leave' || report.kind === 'drop') delete this.members[session];
    else if (report.kind === 'status' && session in this.members) this.members[session] = String(report.status ?? '');
  }
}

/** An edge that reports what its sessions do, in the order of PresenceReporter. */
class EdgeModel {
  readonly reports: QueuedReport[] = [];
  readonly #open = new Map<string, { isMember: boolean; status: string }>();
  readonly #names = new Map<string, string>();
  #count = 0;

  step(who: string, action: number): void {
    const name = this.#names.get(who) ?? '';
    const session = this.#open.get(name);
    if (session === undefined) {
      // A session's id is used once.
      const next = `${who}${this.#count++}`;
      this.#names.set(who, next);
      this.#open.set(next, { isMember: false, status: '' });
      this.reports.push(queued('connect', next, true));
    } else if (action <= 1) {
      this.reports.push(queued('join', name, !session.isMember, session.status));
      this.reports.push(queued('enter', name, !session.isMember));
      session.isMember = true;
    } else if (action === 2 && session.isMember) {
      this.reports.push(queued('leave', name), queued('exit', name));
      session.isMember = false;
    } else if (action === 3 && session.isMember) {
      session.status = `status-${this.#count++}`;
      this.reports.push(queued('status', name, false, session.status));
    } else if (action === 4) {
      if (session.isMember) this.reports.push(queued('drop', name));
      this.reports.push(queued('disconnect', name));
      this.#open.delete(name);
    }
  }
}
