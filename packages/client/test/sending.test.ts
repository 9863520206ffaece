/** Applications that send, against a fake edge and a fake clock. */
import { beforeEach, describe, expect, it } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, silent } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

describe('sending', () => {
  it('queues up to a bound while there is no connection, then rejects', async () => {
    const client = edge.client({ offlineQueueSize: 2 });
    const room = client.room('general');
    const queued = [room.send({ n: 1 }), room.send({ n: 2 })];
    await expect(room.send({ n: 3 })).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    room.typing();
    void client.connect();
    await edge.accept();
    await Promise.all(queued);
    expect(edge.socket.sent.map(({ payload }) => payload?.n)).toEqual([1, 2]);
  });

  it('sends the arguments as they were at the call, not as the caller changed them later', async () => {
    const client = edge.client();
    const payload = { content: 'before' };
    void client.room('general').send(payload);
    payload.content = 'after';
    void client.connect();
    await edge.accept();
    expect(edge.socket.sent[0]?.payload).toEqual({ content: 'before' });
  });

  it('refuses a value that cannot be encoded, one that is too large, and an id that is in flight', async () => {
    const client = await edge.openClient();
    const room = client.room('general');
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    await expect(room.send(circular)).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
    await expect(room.send({ text: 'ä'.repeat(2_048) })).rejects.toMatchObject({ code: 'TOO_LARGE' });
    edge.answer = silent;
    room.send({}, { id: 'm1' }).catch(() => {});
    await expect(room.send({}, { id: 'm1' })).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    client.close();
  });

  it('rejects frames that wait for a room that is left or refused', async () => {
    const client = edge.client();
    const room = client.room('general');
    void room.join();
    const sending = room.send({});
    await room.leave();
    await expect(sending).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('writes binary values in their documented JSON form', async () => {
    const client = await edge.openClient();
    await client.room('general').send({ bytes: new Uint8Array([1, 2, 3]) });
    expect(edge.socket.sent[0]?.payload).toEqual({ bytes: { $base64: 'AQID' } });
  });

  it('sends typing, client events and pings', async () => {
    const client = await edge.openClient();
    const room = client.room('vote');
    room.typing();
    room.stopTyping();
    await room.sendEvent('vote_submitted', { n: 1 });
    await client.sendEvent('subscribe.chat');
    expect(await client.ping()).toBe(0);
    expect(edge.socket.sent.map(({ type, room }) => [type, room])).toEqual([
      ['typing', 'vote'],
      ['stop_typing', 'vote'],
      ['vote_submitted', 'vote'],
      ['subscribe.chat', undefined],
      ['ping', undefined],
    ]);
  });
});
