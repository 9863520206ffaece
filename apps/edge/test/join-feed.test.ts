/** Sessions that join a room's feed: missed messages first, then live ones, in order and once. */
import { HubbubError } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startFedRoom } from './fed-room.js';

const offsets = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe('a session that reconnects', () => {
  test('gets missed messages and then live ones under load; a hundred sessions share the reads', async () => {
    const { feed, publish, publishMany, reads, visit } = await startFedRoom();
    await feed.refresh();
    const { epoch } = await publishMany(20);
    const before = reads();
    const visits = Array.from({ length: 100 }, (_, index) => visit({ epoch, offset: index % 10 }));
    for (let n = 21; n <= 40; n++) await publish();
    for (const { answer } of visits) expect(await answer).toMatchObject({ recovered: true });
    await publish();
    await eventually(() => visits.every(({ heard }) => heard.at(-1) === 41));
    visits.forEach(({ heard }, index) => {
      expect(heard).toEqual(offsets((index % 10) + 1, 41));
    });
    expect(reads() - before).toBeLessThanOrEqual(2);
  });

  test('from an edge that is ahead of this one, waits until this one has caught up', async () => {
    const { feed, publish, setDeaf, delivered, visit } = await startFedRoom();
    await feed.refresh();
    setDeaf(true);
    const position = await publish();
    const { answer, heard } = visit(position);
    expect([await answer, heard, delivered]).toEqual([{ ...position, recovered: true }, [], [1]]);
  });

  test('does not join if it closed during its recovery', async () => {
    const { feed, publishMany, members, holdReads, reads, visit } = await startFedRoom();
    await feed.refresh();
    const { epoch } = await publishMany(5);
    let wanted = true;
    const release = holdReads(({ limit }) => limit > 0);
    const before = reads();
    const { answer, heard } = visit({ epoch, offset: 1 }, { isStillValid: () => wanted });
    await eventually(() => reads() > before);
    wanted = false;
    release();
    expect(await answer).toBeUndefined();
    expect([members, heard]).toEqual([[], []]);
  });

  test('is sent nothing before its socket has room for it', async () => {
    const { feed, publishMany, visit } = await startFedRoom({ maxBufferedBytes: 20_000 });
    await feed.refresh();
    const { epoch } = await publishMany(10, 1000);
    let buffered = 19_000;
    let polls = 0;
    const bufferedBytes = () => {
      polls++;
      return buffered;
    };
    const { answer, heard } = visit({ epoch, offset: 0 }, { bufferedBytes });
    await eventually(() => polls > 5);
    expect(heard).toEqual([]);
    buffered = 0;
    expect(await answer).toMatchObject({ recovered: true });
    expect(heard).toEqual(offsets(1, 10));
  });

  test('gets exactly maxReplayMessages, and not one more', async () => {
    const { feed, publishMany, visit } = await startFedRoom({ maxReplayMessages: 20 });
    await feed.refresh();
    const { epoch } = await publishMany(30);
    const [whole, tooMany] = [visit({ epoch, offset: 10 }), visit({ epoch, offset: 9 })];
    expect(await whole.answer).toMatchObject({ recovered: true });
    expect(whole.heard).toEqual(offsets(11, 30));
    expect(await tooMany.answer).toEqual({ epoch, offset: 30, recovered: false, reason: 'too_many' });
  });

  test('gets room_offset in place of a message that a service withheld from its user or from the session', async () => {
    const { feed, publish, visit } = await startFedRoom();
    await feed.refresh();
    const { epoch } = await publish({ excludeUser: 'ada' });
    await publish({ excludeSession: 's7', notifyExcluded: true });
    await publish({ excludeSession: 's7' }); // Its own: it may not know that the message arrived.
    const since = { epoch, offset: 0 };
    const visits = [visit(since, { id: 's7' }), visit(since, { user: 'bob', id: 's8' })];
    for (const { answer } of visits) await answer;
    expect(visits.map(({ heard }) => heard)).toEqual([
      ['room_offset', 'room_offset', 3],
      [1, 2, 3],
    ]);
  });

  test('gets what the history still holds when it does not reach back to its position', async () => {
    const { feed, publish, publishMany, visit } = await startFedRoom();
    await feed.refresh();
    const { epoch } = await publishMany(60);
    const { answer, heard } = visit({ epoch, offset: 3 });
    expect(await answer).toEqual({ epoch, offset: 60, recovered: false, reason: 'too_old', replayed_from: 11 });
    await publish();
    await eventually(() => heard.at(-1) === 61);
    expect(heard).toEqual(offsets(11, 61));
  });

  test('gets a room_gap in place of an entry that cannot be decoded, and the edge reads once', async () => {
    const { feed, publish, publishUnreadable, reads, visit } = await startFedRoom();
    const { epoch } = await publish();
    await publishUnreadable();
    await publish();
    await feed.refresh();
    const before = reads();
    const { answer, heard } = visit({ epoch, offset: 0 });
    expect(await answer).toMatchObject({ recovered: true });
    expect(heard).toEqual([1, 'room_gap', 3]);
    expect(reads() - before).toBe(1);
  });

  test('gets too_old when a hole in the history ends the replay', async () => {
    const { feed, history, publishMany, reads, visit } = await startFedRoom();
    const { epoch } = await publishMany(9);
    await feed.refresh();
    const read = history.read.bind(history);
    history.read = async query => {
      const page = await read(query);
      // An edge that reads forever would starve the test.
      if (reads() > 20) throw new HubbubError('UNAVAILABLE', 'The edge reads again and again.');
      return { ...page, entries: page.entries.filter(({ offset }) => offset !== 5) };
    };
    const { answer, heard } = visit({ epoch, offset: 0 });
    expect(await answer).toMatchObject({ recovered: false, reason: 'too_old', replayed_from: 6 });
    expect(heard).toEqual(offsets(6, 9));
  });
});

describe('a position that cannot be recovered', () => {
  test.each([
    [{ maxReplayMessages: 5 }, 0, 'too_many'],
    [{ maxBufferedBytes: 100 }, 55, 'too_many'],
  ] as const)('with %j is refused', async (limits, offset, reason) => {
    const { feed, publishMany, visit } = await startFedRoom(limits);
    await feed.refresh();
    const { epoch } = await publishMany(60);
    const { answer, heard } = visit({ epoch, offset });
    expect(await answer).toEqual({ epoch, offset: 60, recovered: false, reason });
    expect(heard).toEqual([]);
  });

  test('costs no memory when too many bytes are missing, and one read for all sessions', async () => {
    const { feed, publishMany, memory, reads, visit } = await startFedRoom({ maxBufferedBytes: 20_000 });
    await feed.refresh();
    const { epoch } = await publishMany(40, 1000);
    const before = reads();
    for (const offset of [0, 5, 10, 5]) {
      expect(await visit({ epoch, offset }).answer).toMatchObject({ recovered: false, reason: 'too_many' });
    }
    expect(reads() - before).toBe(1);
    expect(memory.bytes).toBe(0);
    const { answer, heard } = visit({ epoch, offset: 30 });
    expect(await answer).toMatchObject({ recovered: true });
    expect(heard).toEqual(offsets(31, 40));
  });

  test('of an unknown epoch or beyond the end does not delay messages to members', async () => {
    const { feed, publish, delivered, holdReads, reads, visit } = await startFedRoom();
    await feed.refresh();
    const { epoch } = await publish();
    await eventually(() => delivered.length === 1);
    const release = holdReads(() => true);
    const before = reads();
    const visits = [visit({ epoch: 'invented', offset: 1 }), visit({ epoch, offset: 1_000_000 })];
    await eventually(() => reads() > before);
    await publish();
    await eventually(() => delivered.length === 2);
    release();
    for (const { answer } of visits) expect(await answer).toMatchObject({ recovered: false, reason: 'new_epoch' });
  });
});

describe('after the history was lost', () => {
  test('a position of the new epoch recovers, although the old history did not reach back', async () => {
    const { feed, publishMany, loseHistory, gaps, delivered, visit } = await startFedRoom();
    await feed.refresh();
    const old = await publishMany(60);
    expect(await visit({ ...old, offset: 3 }).answer).toMatchObject({ reason: 'too_old' });
    const { epoch } = await loseHistory();
    await publishMany(5);
    await eventually(() => gaps.length === 1 && delivered.at(-1) === 5);
    const { answer, heard } = visit({ epoch, offset: 1 });
    expect(await answer).toMatchObject({ recovered: true });
    expect(heard).toEqual(offsets(2, 5));
  });

  test('a read that began before does not count for the new epoch', async () => {
    const { feed, publishMany, loseHistory, gaps, delivered, holdReads, reads, visit } = await startFedRoom();
    await feed.refresh();
    const old = await publishMany(60);
    const release = holdReads(({ after, limit }) => limit > 0 && after === 3);
    const before = reads();
    const early = visit({ ...old, offset: 3 });
    await eventually(() => reads() > before);
    const { epoch } = await loseHistory();
    await publishMany(5);
    await eventually(() => gaps.length === 1 && delivered.at(-1) === 5);
    release();
    expect(await early.answer).toMatchObject({ epoch, recovered: false, reason: 'new_epoch' });
    expect(early.heard).toEqual([]);
    expect(await visit({ epoch, offset: 1 }).answer).toMatchObject({ recovered: true });
  });

  test('messages of the new epoch are not replayed after a position of the old one', async () => {
    const { feed, publishMany, loseHistory, setDeaf, visit } = await startFedRoom();
    await feed.refresh();
    const old = await publishMany(10);
    setDeaf(true);
    const { epoch } = await loseHistory();
    await publishMany(10);
    const { answer, heard } = visit({ ...old, offset: 3 });
    expect(await answer).toEqual({ epoch, offset: 10, recovered: false, reason: 'new_epoch' });
    expect(heard).toEqual([]);
  });
});
