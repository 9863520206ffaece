/** The list of messages behind `useMessages`, on the real client. Fake edge, fake clock. */
import type { HubbubClient } from '@hubbub/client';
import { describe, expect, it, vi } from 'vitest';
import { useFakeClock } from '../../client/test/support/fake-clock.js';
import { turn } from '../../client/test/support/fake-edge.js';
import { type AnyMessages, createMessageList, type MessagesOptions } from '../src/message-list.js';
import type { Store } from '../src/store.js';
import { HistoricRoom } from './support/historic-room.js';

useFakeClock();

/** The list of a component that is mounted, in a room that is joined. */
async function mount(history: HistoricRoom, options: MessagesOptions = {}) {
  const room = await history.connect();
  const list = createMessageList(room, () => history.client.session?.user, options);
  const unmount = list.subscribe(() => {});
  await room.join();
  await turn();
  return { room, list, unmount };
}

/** Offsets, `gap <reason>`, and own messages as `<delivery> <n>`. */
function show(list: Store<AnyMessages>): unknown[] {
  return list.value().items.map(item => {
    if (item.kind === 'gap') return `gap ${item.reason}`;
    return item.own ? `${item.delivery} ${item.frame.payload?.n}` : (item.frame.offset ?? item.frame.payload?.n);
  });
}

const lastQuery = (history: HistoricRoom) => history.queries.at(-1);

describe('history and live messages', () => {
  it('shows the newest page, older pages on request, then what arrives', async () => {
    const history = new HistoricRoom(1, 7);
    const { list } = await mount(history, { pageSize: 3 });
    expect([show(list), list.value().hasEarlier]).toEqual([[5, 6, 7], true]);
    list.value().loadEarlier();
    await turn();
    history.publish();
    expect([show(list), list.value().hasEarlier]).toEqual([[2, 3, 4, 5, 6, 7, 8], true]);
    list.value().loadEarlier();
    await turn();
    expect([show(list), list.value().hasEarlier]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8], false]);
  });

  it('shows a message once that arrives before the page that contains it', async () => {
    const history = new HistoricRoom(1, 3);
    const room = await history.connect();
    const list = createMessageList(room, () => history.client.session?.user, {});
    list.subscribe(() => {});
    const joined = room.join();
    history.publish();
    await joined;
    await turn();
    expect(show(list)).toEqual([1, 2, 3, 4]);
  });

  it('keeps as many items as its limit, and reads the removed ones again only when it has room', async () => {
    const history = new HistoricRoom(1, 5);
    const { list } = await mount(history, { limit: 4, pageSize: 3 });
    expect(list.value().hasEarlier).toBe(true);
    list.value().loadEarlier();
    await turn();
    expect([show(list), list.value().hasEarlier]).toEqual([[2, 3, 4, 5], false]);
    for (let n = 0; n < 3; n++) history.publish();
    expect(show(list)).toEqual([5, 6, 7, 8]);
  });

  it('contains only frames of its types', async () => {
    const history = new HistoricRoom(1, 2);
    history.append(3, { type: 'build.finished' });
    const { list } = await mount(history, { types: ['build.finished'] });
    history.publish();
    history.publish({ type: 'build.finished' });
    expect(show(list)).toEqual([3, 5]);
  });

  it('reports why the history cannot be read, and reads it on request', async () => {
    const history = new HistoricRoom(1, 2);
    history.isBroken = true;
    const { list } = await mount(history);
    expect(list.value()).toMatchObject({ items: [], isLoading: false, error: { code: 'UNAVAILABLE' } });
    history.isBroken = false;
    list.value().loadEarlier();
    expect(list.value()).toMatchObject({ isLoading: true, error: undefined });
    await turn();
    expect([show(list), list.value().isLoading]).toEqual([[1, 2], false]);
  });

  it('notifies its subscribers of each change with another view, and keeps the view otherwise', async () => {
    const history = new HistoricRoom(1, 2);
    const { list } = await mount(history);
    const changed = vi.fn();
    list.subscribe(changed);
    const before = list.value();
    expect(list.value()).toBe(before);
    history.publish();
    expect(changed).toHaveBeenCalled();
    expect(list.value().items).not.toBe(before.items);
    expect(list.value().items.slice(0, 2)).toEqual(before.items);
  });
});

describe('own messages', () => {
  it('appear immediately, keep their key, and move to their position', async () => {
    const history = new HistoricRoom(1, 1);
    const { list } = await mount(history);
    list.value().send({ n: 'a' });
    expect(show(list)).toEqual([1, 'sending a']);
    const { key } = list.value().items[1] ?? {};
    // Published before ours, arrives after we sent.
    history.edge.socket.receive({ ...history.append(2), offset: 1.5 });
    await turn();
    expect(show(list)).toEqual([1, 1.5, 'sent a']);
    expect(list.value().items[2]).toMatchObject({ key, frame: { offset: 2, timestamp: '2026-01-31T12:00:00.000Z' } });
  });

  it('fail with the reason, are sent again under their id, and can be discarded', async () => {
    const history = new HistoricRoom(1, 1);
    const { room, list } = await mount(history);
    const send = vi.spyOn(room, 'send');
    list.value().send({ n: new Map() } as never);
    await turn();
    const [, failed] = list.value().items;
    expect(failed).toMatchObject({ delivery: 'failed', error: { code: 'INVALID_PAYLOAD' } });
    const id = String(failed?.kind === 'message' && failed.frame.id);
    list.value().send({ n: 'b' }, { id });
    await turn();
    expect(send.mock.calls.map(([, options]) => options?.id)).toEqual([id, id]);
    expect(show(list)).toEqual([1, 'sent b']);
    list.value().discard(id);
    expect(show(list)).toEqual([1]);
  });

  it('appear once when the namespace echoes them', async () => {
    const history = new HistoricRoom(1, 1);
    const { list } = await mount(history);
    list.value().send({ n: 'a' }, { id: 'mine' });
    await turn();
    const [, echo] = history.messages;
    history.edge.socket.receive(echo ?? { type: '' });
    expect(show(list)).toEqual([1, 'sent a']);
  });

  it('that wait for the first session get their sender with it', async () => {
    const history = new HistoricRoom(1, 1);
    const client = history.edge.client() as unknown as HubbubClient;
    void client.connect();
    const room = client.room('general');
    const list = createMessageList(room, () => client.session?.user, {});
    list.subscribe(() => {});
    void room.join();
    list.value().send({ n: 'early' }, { id: 'early' });
    const senders = () => list.value().items.map(item => item.kind === 'message' && item.frame.sender?.name);
    expect(senders()).toEqual(['']);
    await history.edge.accept();
    await turn();
    expect([show(list), senders()]).toEqual([
      [1, 'sent early'],
      ['B', 'One'],
    ]);
  });

  it('from another device of the user are own ones', async () => {
    const history = new HistoricRoom(1, 1);
    const { list } = await mount(history);
    history.publish({ sender: { id: 'u1', name: 'One' } });
    expect(show(list)).toEqual([1, 'sent 2']);
  });
});

describe('gaps', () => {
  const answer = (reason: string) => ({ recovered: false, reason });

  it('are filled from the history, page by page', async () => {
    const history = new HistoricRoom(1, 3);
    const { list } = await mount(history, { pageSize: 2 });
    for (let offset = 4; offset <= 9; offset++) history.append(offset);
    await history.reconnect(answer('too_many'));
    expect(show(list)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(history.queries.slice(1)).toEqual([8, 6, 4].map(before => ({ before: before + 2, limit: 2 })));
  });

  it('stay where the history does not reach back', async () => {
    const history = new HistoricRoom(1, 3);
    const { list } = await mount(history);
    history.messages = [];
    const kept = [8, 9].map(offset => history.append(offset));
    await history.reconnect({ ...answer('too_old'), replayed_from: 8 }, kept);
    expect(show(list)).toEqual([1, 2, 3, 'gap too_old', 8, 9]);
  });

  it('show what the history still has after them', async () => {
    const history = new HistoricRoom(1, 3);
    const { list } = await mount(history);
    history.messages = [];
    for (const offset of [8, 9]) history.append(offset);
    await history.reconnect(answer('too_many'));
    expect(show(list)).toEqual([1, 2, 3, 'gap too_many', 8, 9]);
    expect(list.value().items[3]).toMatchObject({ since: 3, before: 8 });
  });

  it('that could not be read are read after the next reconnect', async () => {
    const history = new HistoricRoom(1, 3);
    const { list } = await mount(history);
    history.append(4);
    history.isBroken = true;
    await history.reconnect(answer('too_many'));
    expect(show(list)).toEqual([1, 2, 3, 'gap too_many']);
    history.isBroken = false;
    await history.reconnect({ recovered: true });
    expect(show(list)).toEqual([1, 2, 3, 4]);
  });

  it('of a new epoch separate the messages of two histories with equal offsets', async () => {
    const history = new HistoricRoom(1, 3);
    const { list } = await mount(history);
    history.messages = [];
    history.epoch = 'e2';
    for (const offset of [1, 2]) history.append(offset, { id: `new-${offset}`, payload: { n: `new ${offset}` } });
    await history.reconnect(answer('new_epoch'));
    history.publish({ id: 'new-3' });
    expect(list.value().items.map(item => (item.kind === 'gap' ? item.reason : item.frame.payload?.n))).toEqual([
      ...[1, 2, 3, 'new_epoch', 'new 1', 'new 2', 3],
    ]);
  });

  it('are filled once when the history has continued in another epoch', async () => {
    const history = new HistoricRoom(1, 0);
    for (const offset of [1, 2]) history.append(offset, { id: `${offset}` });
    const { list } = await mount(history);
    history.edge.socket.receive({
      ...{ type: 'room_offset', room: 'general', epoch: 'e2', offset: 2 },
      payload: { previous_epoch: 'e1' },
    });
    history.epoch = 'e2';
    // The page of the history that is read again names them otherwise: only their offsets are the same.
    history.messages = history.messages.map(frame => ({ ...frame, id: `again-${frame.id}` }));
    history.append(3);
    await history.reconnect(answer('too_many'));
    expect(show(list)).toEqual([1, 2, 3]);
  });

  it('appear where a room without history lost messages', async () => {
    const history = new HistoricRoom(1, 0);
    history.epoch = '';
    const { list } = await mount(history);
    history.edge.socket.receive({ type: 'new_message', room: 'general', id: 'x', payload: { n: 'x' } });
    await history.reconnect({ epoch: undefined, offset: undefined });
    history.edge.socket.receive({ type: 'new_message', room: 'general', id: 'y', payload: { n: 'y' } });
    expect(show(list)).toEqual(['x', 'gap no_history', 'y']);
  });

  it('of a room that was left and joined again are compared with the history', async () => {
    const history = new HistoricRoom(1, 3);
    const { room, list } = await mount(history, { pageSize: 2 });
    await room.leave();
    for (let offset = 4; offset <= 8; offset++) history.append(offset);
    await room.join();
    expect(show(list)).toEqual([2, 3, 'gap not_joined']);
    await turn();
    expect(show(list)).toEqual([2, 3, 4, 5, 6, 7, 8]);
  });
});

describe('the life of a list', () => {
  it('a component that is unmounted and mounted in the same turn misses nothing and reads nothing again', async () => {
    const history = new HistoricRoom(1, 2);
    const { list, unmount } = await mount(history);
    unmount();
    list.subscribe(() => {});
    await turn();
    history.publish();
    expect([show(list), history.queries.length]).toEqual([[1, 2, 3], 1]);
  });

  it('stops when the last component is unmounted, and reads what it missed when one is mounted again', async () => {
    const history = new HistoricRoom(1, 2);
    const { room, list, unmount } = await mount(history);
    unmount();
    await turn();
    history.publish();
    expect(show(list)).toEqual([1, 2]);
    expect(room.state).toBe('joined');
    list.subscribe(() => {});
    await turn();
    expect([show(list), lastQuery(history)]).toEqual([[1, 2, 3], { limit: 50 }]);
  });
});
