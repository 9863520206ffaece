/** A room's feed while Redis fails, lags or is closed under it. */

import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startFedRoom } from './fed-room.js';

test('refuses waiting sessions while the history cannot be read, and continues when it can', async () => {
  const { feed, history, publish, setDeaf, delivered } = await startFedRoom();
  await feed.refresh();
  await publish();
  setDeaf(true);
  await publish();
  const read = history.read.bind(history);
  history.read = () => Promise.reject(new Error('Redis is down'));
  await expect(feed.refresh()).rejects.toThrow('Redis is down');
  history.read = read;
  await eventually(() => delivered.length === 2, { describe: 'the feed reads again by itself' });
});

test('waits with a claimed position until the subscription has caught up with a read', async () => {
  const { feed, publish, setDeaf, delivered, reads } = await startFedRoom();
  await feed.refresh();
  await publish();
  setDeaf(true);
  const position = await publish();
  const before = reads();
  await feed.confirm();
  expect(delivered).toEqual([1, 2]);
  expect(feed.position).toEqual(position);
  expect(reads() - before, 'the position, and what the subscription lost').toBe(2);
});

test('does not read a history for a claim that the subscription reaches', async () => {
  const { feed, publish, holdReads, delivered, reads } = await startFedRoom();
  await feed.refresh();
  const release = holdReads(() => true);
  const before = reads();
  const confirmed = feed.confirm();
  await publish();
  await eventually(() => delivered.length === 1);
  release();
  await confirmed;
  expect(reads() - before).toBe(1);
});

test('reads a new epoch immediately, although the subscription did not report it', async () => {
  const { feed, publish, setDeaf, loseHistory, gaps } = await startFedRoom();
  await feed.refresh();
  await publish();
  setDeaf(true);
  const { epoch } = await loseHistory();
  const startMs = performance.now();
  await feed.confirm();
  expect(performance.now() - startMs).toBeLessThan(200);
  expect(gaps).toEqual([{ reason: 'new_epoch', position: { epoch, offset: 0 } }]);
});

test('finds a new epoch of the same length when it checks a silent room', async () => {
  const { feed, publish, setDeaf, loseHistory, delivered, gaps } = await startFedRoom();
  await feed.refresh();
  await publish();
  await eventually(() => delivered.length === 1);
  await feed.check();
  setDeaf(true);
  const { epoch } = await loseHistory();
  await publish();
  await feed.check();
  await eventually(() => delivered.length === 2);
  expect(gaps).toEqual([{ reason: 'new_epoch', position: { epoch, offset: 0 } }]);
});

test('does not take a check for a loss when a message came while it read', async () => {
  const { feed, publish, holdReads, delivered, reads } = await startFedRoom();
  await feed.refresh();
  await feed.check();
  const release = holdReads(() => true);
  const before = reads();
  const checked = feed.check();
  await eventually(() => reads() > before);
  await publish();
  await eventually(() => delivered.length === 1);
  release();
  await checked;
  await new Promise(resolve => setImmediate(resolve));
  expect(reads() - before).toBe(1);
});

test('reads again for a replay when other rooms took the memory of its window', async () => {
  const { feed, publishMany, memory, visit } = await startFedRoom();
  await feed.refresh();
  const { epoch } = await publishMany(5);
  await visit({ epoch, offset: 2 }).answer;
  feed.replay.window().drop();
  expect(memory.bytes).toBe(0);
  const { answer, heard } = visit({ epoch, offset: 0 });
  expect(await answer).toMatchObject({ recovered: true });
  expect(heard).toEqual([1, 2, 3, 4, 5]);
});

test('refuses waiting and new sessions after it is closed', async () => {
  const { feed, publish, holdReads } = await startFedRoom();
  await publish();
  const release = holdReads(() => true);
  const waiting = expect(feed.refresh()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  feed.close();
  await waiting;
  await expect(feed.refresh()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  release();
});

test('counts duplicates, and how often it was behind', async () => {
  const { feed, publish, history, setDeaf, delivered, metric } = await startFedRoom();
  await feed.refresh();
  expect(await metric('hubbub_edge_catch_ups_total')).toMatch(/ 0$/);
  setDeaf(true);
  const { epoch } = await publish();
  await feed.refresh();
  expect(delivered).toEqual([1]);
  expect(await metric('hubbub_edge_catch_ups_total')).toMatch(/ 1$/);
  const { entries } = await history.read({ room: feed.room, ttlMs: 60_000, limit: 1 });
  const body = entries[0]?.envelope ?? new Uint8Array();
  feed.arrived({ epoch, offset: 1, encoding: 'json', publishedAtMs: 1, body });
  expect(delivered).toEqual([1]);
  expect(await metric('hubbub_edge_duplicates_dropped_total')).toMatch(/ 1$/);
});
