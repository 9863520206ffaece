/** A room's feed on a history that can lose, lag and be rewritten. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startFedRoom } from './fed-room.js';

test('delivers messages that it missed while deaf, after its position is in doubt', async () => {
  const { feed, publish, setDeaf, delivered, gaps } = await startFedRoom();
  await feed.refresh();
  await publish();
  setDeaf(true);
  await publish();
  setDeaf(false);
  feed.doubt();
  await publish();
  await eventually(() => delivered.length === 3);
  expect([delivered, gaps]).toEqual([[1, 2, 3], []]);
});

test('negative control: without the doubt a lost last message stays unnoticed until the check', async () => {
  const { feed, publish, setDeaf, delivered } = await startFedRoom();
  await feed.refresh();
  await publish();
  await eventually(() => delivered.length === 1);
  await feed.check();
  setDeaf(true);
  await publish();
  await new Promise(resolve => setImmediate(resolve));
  expect(delivered).toEqual([1]);
  await feed.check();
  await eventually(() => delivered.length === 2);
});

test('checks ever more rarely while the room is silent, and starts over after a message', async () => {
  const { feed, publish, delivered, reads } = await startFedRoom();
  await feed.refresh();
  const before = reads();
  await feed.check(); // Where it is; it is silent from here on.
  for (let round = 1; round <= 64; round++) await feed.check();
  expect(reads() - before, 'in rounds 1, 2, 4, 8, and every 12th: the history lives for that long').toBe(9);
  await publish();
  await eventually(() => delivered.length === 1);
  await feed.check();
  const talked = reads();
  await feed.check();
  expect(reads() - talked, 'in the first round after the message').toBe(1);
});

test('continues in a new epoch without a gap, with messages that it missed before and after', async () => {
  const { feed, publish, setDeaf, beginEpoch, delivered, gaps, crossings } = await startFedRoom();
  await feed.refresh();
  const { epoch } = await publish();
  await eventually(() => delivered.length === 1);
  setDeaf(true);
  await publish();
  const begun = await beginEpoch();
  await publish();
  await feed.refresh();
  expect([delivered, gaps]).toEqual([[1, 2, 3], []]);
  expect(crossings).toEqual([{ previousEpoch: epoch, position: { epoch: begun.epoch, offset: 1 } }]);
  setDeaf(false);
  await publish();
  await eventually(() => delivered.length === 4);
});

test('reports a gap when a sender here was acknowledged a message that the new epoch lacks', async () => {
  const { feed, publish, setDeaf, beginEpoch, delivered, gaps, crossings } = await startFedRoom();
  await feed.refresh();
  const { epoch } = await publish();
  await eventually(() => delivered.length === 1);
  setDeaf(true);
  feed.acknowledge({ epoch, offset: 2 });
  const begun = await beginEpoch();
  await publish();
  await feed.refresh();
  expect([delivered, gaps, crossings]).toEqual([
    [1, 2],
    [{ reason: 'new_epoch', position: { epoch: begun.epoch, offset: 1 } }],
    [],
  ]);
});

test('delivers the messages of a new epoch without waiting for its next one', async () => {
  const { feed, publish, publishMany, setDeaf, loseHistory, delivered, gaps } = await startFedRoom();
  await feed.refresh();
  await publish();
  await eventually(() => delivered.length === 1);
  setDeaf(true);
  const { epoch } = await loseHistory();
  await publishMany(3);
  feed.doubt();
  await eventually(() => delivered.length === 4);
  expect([delivered, gaps]).toEqual([[1, 1, 2, 3], [{ reason: 'new_epoch', position: { epoch, offset: 0 } }]]);
});

test('reports an entry that cannot be decoded as a gap, and delivers the messages around it', async () => {
  const { feed, publish, publishUnreadable, setDeaf, delivered, gaps, reads } = await startFedRoom();
  await feed.refresh();
  setDeaf(true);
  await publish();
  const unreadable = await publishUnreadable();
  await publish();
  await feed.refresh();
  expect(delivered).toEqual([1, 3]);
  expect(gaps).toEqual([{ reason: 'too_old', position: unreadable }]);
  expect(reads()).toBeLessThan(5);
});

test('loses nothing behind a whole page of entries that cannot be decoded', async () => {
  const { feed, publish, publishUnreadable, setDeaf, delivered, gaps } = await startFedRoom({ historySize: 500 });
  await feed.refresh();
  setDeaf(true);
  await publish();
  for (let n = 0; n < 300; n++) await publishUnreadable();
  await publish();
  await feed.refresh();
  expect(delivered).toEqual([1, 302]);
  expect(gaps.at(-1)?.position?.offset).toBe(301);
});

test('delivers nothing after it is closed during a read', async () => {
  const { feed, publish, setDeaf, delivered, holdReads, reads } = await startFedRoom();
  await feed.refresh();
  setDeaf(true);
  await publish();
  const release = holdReads(() => true);
  const before = reads();
  feed.doubt();
  await eventually(() => reads() > before);
  feed.close();
  release();
  await nextTurn(); // The read ends within the turn.
  expect(delivered).toEqual([]);
});
