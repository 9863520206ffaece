/** A member shows the status of one of its sessions: the choice of the session, and the end of the status. */
import { expect, test } from 'vitest';
import { GRACE_MS, PartitionBench } from './support/partition-bench.js';

const EDGE_1 = 'edge-1/a';
const EDGE_2 = 'edge-2/a';

/** Alice is in the room with a session on each edge; a witness sees her in rosters. */
class StatusBench {
  readonly bench: PartitionBench;

  constructor(options?: ConstructorParameters<typeof PartitionBench>[0]) {
    this.bench = new PartitionBench(options);
    this.bench.join(EDGE_1, 'w', 'witness');
    this.join(EDGE_1, 's1');
    this.join(EDGE_2, 's2');
  }

  join(edge: string, session: string, status?: string, resync = false): void {
    this.bench.report(edge, {
      kind: 'join',
      room: 'general',
      session,
      user: 'alice',
      name: 'ALICE',
      ...(status !== undefined && { status }),
      ...(resync && { resync }),
    });
  }

  set(edge: string, session: string, status?: string): void {
    const report = { kind: 'status', room: 'general', session, user: 'alice' } as const;
    this.bench.report(edge, { ...report, ...(status !== undefined && { status }) });
  }

  get shown(): unknown {
    return this.bench.partition.rooms.get('general')?.members.get('alice')?.status;
  }

  /** The statuses announced to members since the last call. */
  heard(): unknown[] {
    return this.bench.announcements
      .splice(0)
      .filter(({ type }) => type === 'user_status')
      .map(({ payload }) => (payload.user as { status?: unknown }).status ?? null);
  }
}

test('a status ends with the session that set it, and the status of another session is shown again', () => {
  for (const end of ['drop', 'leave'] as const) {
    const story = new StatusBench();
    story.set(EDGE_1, 's1', 'busy');
    story.set(EDGE_2, 's2', 'away');
    expect(story.heard()).toEqual(['busy', 'away']);
    story.bench[end](EDGE_2, 's2', 'alice');
    expect(story.heard(), end).toEqual(['busy']);
    story.bench.join(EDGE_2, 's3', 'alice');
    story.bench[end](EDGE_1, 's1', 'alice');
    expect(story.heard(), end).toEqual([null]);
    expect(story.shown, end).toBeUndefined();
  }
});

test('the end of a session with a hidden status is not announced', () => {
  const story = new StatusBench();
  story.set(EDGE_1, 's1', 'busy');
  story.set(EDGE_2, 's2', 'away');
  story.heard();
  story.bench.drop(EDGE_1, 's1', 'alice');
  expect(story.heard()).toEqual([]);
  story.bench.drop(EDGE_2, 's2', 'alice');
  story.bench.join(EDGE_2, 's3', 'alice');
  expect(story.heard()).toEqual([null]);
});

test('the status of each session survives a takeover', () => {
  const story = new StatusBench();
  story.set(EDGE_1, 's1', 'busy');
  story.set(EDGE_2, 's2', 'away');
  story.bench.takeOver();
  story.heard();
  story.bench.drop(EDGE_2, 's2', 'alice');
  story.bench.takeOver();
  expect(story.heard()).toEqual(['busy']);
  story.join(EDGE_2, 's3');
  story.bench.takeOver();
  story.bench.drop(EDGE_1, 's1', 'alice');
  expect(story.heard()).toEqual([null]);
});

test('a join that changes what rosters show is announced', () => {
  const story = new StatusBench();
  story.join(EDGE_2, 's3', 'busy');
  expect(story.heard()).toEqual(['busy']);
});

test('a reconnect within the grace with the same status is invisible; without a status the old one ends', () => {
  const story = new StatusBench();
  story.set(EDGE_1, 's1', 'busy');
  story.bench.drop(EDGE_2, 's2', 'alice');
  story.heard();
  story.bench.drop(EDGE_1, 's1', 'alice');
  story.bench.advance(GRACE_MS - 1);
  expect(story.shown).toBe('busy');
  story.bench.takeOver();
  story.join(EDGE_2, 's3', 'busy');
  expect(story.heard()).toEqual([]);
  story.bench.drop(EDGE_2, 's3', 'alice');
  story.join(EDGE_2, 's4');
  expect(story.heard()).toEqual([null]);
});

test('a resync of a session with a status is invisible', () => {
  const story = new StatusBench();
  story.set(EDGE_1, 's1', 'busy');
  story.heard();
  story.bench.report('edge-1/b', { kind: 'node_gone', gone: EDGE_1 });
  story.bench.drop(EDGE_2, 's2', 'alice');
  story.join('edge-1/b', 's1', 'busy', true);
  story.bench.advance(2 * GRACE_MS);
  expect(story.shown).toBe('busy');
});

test('a member that is kept while away shows no status', () => {
  const story = new StatusBench({ namespace: { keepMembers: { offlineAfterMs: 1000, expireAfterMs: 10_000 } } });
  story.set(EDGE_1, 's1', 'busy');
  story.heard();
  story.bench.drop(EDGE_2, 's2', 'alice');
  story.bench.drop(EDGE_1, 's1', 'alice');
  story.bench.advance(1000);
  expect(story.heard()).toEqual([null]);
});
