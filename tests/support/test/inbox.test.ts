/** The inbox of the test client misses no frame and explains a missing one. */
import { describe, expect, test } from 'vitest';
import { Inbox } from '../inbox.js';

describe('an inbox', () => {
  test('keeps unawaited frames, and returns each once', async () => {
    const inbox = new Inbox('alice');
    inbox.add({ type: 'welcome' });
    inbox.add({ type: 'new_message', id: 'm1' });
    inbox.add({ type: 'new_message', id: 'm2' });

    expect(await inbox.take('new_message', 0)).toMatchObject({ id: 'm1' });
    expect(await inbox.take('new_message', 0)).toMatchObject({ id: 'm2' });
    expect(await inbox.take('welcome', 0)).toMatchObject({ type: 'welcome' });
    await expect(inbox.take('new_message', 1)).rejects.toThrow('alice expected new_message within 1 ms');
  });

  test('gives a frame to the first matching waiter', async () => {
    const inbox = new Inbox('alice');
    const pong = inbox.take('pong', 5000);
    const ack = inbox.take({ type: 'ack', id: 'j1' }, 5000);
    inbox.add({ type: 'ack', id: 'other' });
    inbox.add({ type: 'ack', id: 'j1' });
    inbox.add({ type: 'pong' });
    expect(await Promise.all([pong, ack])).toEqual([{ type: 'pong' }, { type: 'ack', id: 'j1' }]);
  });

  test('matches fields deeply, and ignores the rest', async () => {
    const inbox = new Inbox('alice');
    inbox.add({ type: 'user_joined', room: 'general', payload: { user: { id: 'u1', name: 'One' }, count: 1 } });
    inbox.add({ type: 'user_joined', room: 'general', payload: { user: { id: 'u2', name: 'Two' }, count: 2 } });
    expect(await inbox.take({ payload: { user: { id: 'u2' } } }, 0)).toMatchObject({ payload: { count: 2 } });
  });

  test('names the awaited frame and lists the received ones', async () => {
    const inbox = new Inbox('bob');
    inbox.add({ type: 'error', payload: { code: 'FORBIDDEN' } });
    await expect(inbox.take({ type: 'ack', id: 'j1' }, 1)).rejects.toThrow(
      /bob expected \{"type":"ack","id":"j1"\} within 1 ms.*\n {2}\{"type":"error","payload":\{"code":"FORBIDDEN"\}\}/,
    );
  });

  test('does not wait for frames that can no longer arrive', async () => {
    const inbox = new Inbox('bob');
    const waiting = expect(inbox.take('pong', 60_000)).rejects.toThrow(
      'bob expected pong but the connection was closed',
    );
    inbox.end('the connection was closed with 1006');
    await waiting;
    await expect(inbox.take('pong', 60_000)).rejects.toThrow('closed with 1006');
  });

  test('reports an unexpected frame, unless it was taken', async () => {
    const inbox = new Inbox('bob');
    inbox.add({ type: 'new_message', id: 'm1' });
    expect(() => inbox.expectNone('new_message')).toThrow('bob expected no new_message, but got:');
    await inbox.take('new_message', 0);
    inbox.expectNone('new_message');
  });
});
