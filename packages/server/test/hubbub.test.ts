/** The SDK for services: invalid arguments are rejected where they are passed, and nothing is lost silently. */
import { Channels, decodeEnvelope, HubbubError } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { startRedis } from '../../../tests/support/redis.js';
import { connectHubbub, type HubbubOptions, type Publication } from '../src/index.js';

function connect(options: HubbubOptions) {
  const hubbub = connectHubbub(options);
  cleanup(() => hubbub.close());
  return hubbub;
}

describe('a service', () => {
  test('publishes to a room, to a user and to all, without waiting for the connection first', async () => {
    const redis = await startRedis();
    const channels = new Channels(redis.prefix);
    const heard: Array<{ channel: string; type: string }> = [];
    const subscriber = redis.connection();
    subscriber.on('messageBuffer', (channel: Buffer, bytes: Buffer) => {
      const body = decodeEnvelope(bytes)?.body ?? new Uint8Array();
      heard.push({ channel: channel.toString(), type: JSON.parse(Buffer.from(body).toString()).type });
    });
    await subscriber.subscribe(channels.room('general'), channels.user('u1'), channels.broadcast);

    const hubbub = connect({ redisUrl: redis.url, redisPrefix: redis.prefix });
    await hubbub.publishToRoom('general', { type: 'a.room' });
    await hubbub.publishToUser('u1', { type: 'a.user' });
    await hubbub.publishToAll({ type: 'a.all' });
    await eventually(() => heard.length === 3);
    expect(heard).toEqual([
      { channel: channels.room('general'), type: 'a.room' },
      { channel: channels.user('u1'), type: 'a.user' },
      { channel: channels.broadcast, type: 'a.all' },
    ]);
  });

  test('sends a key to the edges, and not to the clients', async () => {
    const redis = await startRedis();
    const channel = new Channels(redis.prefix).room('prices:eu');
    const heard: Buffer[] = [];
    const subscriber = redis.connection();
    subscriber.on('messageBuffer', (_: Buffer, bytes: Buffer) => heard.push(bytes));
    await subscriber.subscribe(channel);
    const hubbub = connect({ redisUrl: redis.url, redisPrefix: redis.prefix });
    await hubbub.publishToRoom('prices:eu', { type: 'price', key: 'ACME' });
    await eventually(() => heard.length === 1);
    const envelope = decodeEnvelope(heard[0] ?? new Uint8Array());
    expect(envelope?.conflationKey).toBe('ACME');
    expect(Buffer.from(envelope?.body ?? []).toString()).not.toContain('ACME');
  });

  test('uses idempotency keys that no client can use up', async () => {
    const redis = await startRedis();
    const hubbub = connect({ redisUrl: redis.url, redisPrefix: redis.prefix });
    await hubbub.publishToRoom('a', { type: 'a', idempotencyKey: 'u1/m1' });
    await hubbub.publishToUser('u1', { type: 'a', idempotencyKey: 'u1/m1' });
    await hubbub.closeRoom('a', undefined, { idempotencyKey: 'u1/m2' });
    const keys = (await redis.cli('KEYS', `${redis.prefix}*:id:*`)).split('\n');
    expect(keys.map(key => key.slice(key.indexOf(':id:'))).sort()).toEqual([
      ':id:service:u1/m1',
      ':id:service:u1/m1',
      ':id:service:u1/m2',
    ]);
  });

  const circular: Record<string, unknown> = {};
  circular.self = circular;
  test.each<[string, unknown, string]>([
    ['a type outside the grammar', { type: 'Build Finished' }, 'INVALID_FORMAT'],
    ['no type', {}, 'INVALID_FORMAT'],
    ['a reserved type', { type: 'room_closed' }, 'INVALID_FORMAT'],
    ['an error that answers nobody', { type: 'error' }, 'INVALID_FORMAT'],
    ['a type with the reserved prefix', { type: 'hubbub.future' }, 'INVALID_FORMAT'],
    ['a payload that is text', { type: 'a', payload: 'x' }, 'INVALID_PAYLOAD'],
    ['a payload that contains itself', { type: 'a', payload: circular }, 'INVALID_PAYLOAD'],
    ['the key __proto__', { type: 'a', payload: JSON.parse('{"__proto__":1}') }, 'INVALID_PAYLOAD'],
    ['an id of 65 bytes', { type: 'a', id: 'x'.repeat(65) }, 'INVALID_FORMAT'],
    ['an empty key', { type: 'a', key: '' }, 'INVALID_FORMAT'],
    ['a key of 65 bytes', { type: 'a', key: 'x'.repeat(65) }, 'INVALID_FORMAT'],
    ['a sender without a name', { type: 'a', sender: { id: 'u' } }, 'INVALID_FORMAT'],
    ['a sender that is text', { type: 'a', sender: 'u' }, 'INVALID_FORMAT'],
    ['a field that there is not', { type: 'a', exclude_user: 'u' }, 'INVALID_FORMAT'],
    ['an excluded user of no name', { type: 'a', excludeUser: '' }, 'INVALID_FORMAT'],
    ['an excluded session that is a number', { type: 'a', excludeSession: 7 }, 'INVALID_FORMAT'],
    ['an empty idempotency key', { type: 'a', idempotencyKey: '' }, 'INVALID_FORMAT'],
    ['an idempotency key of 129 bytes', { type: 'a', idempotencyKey: 'x'.repeat(129) }, 'INVALID_FORMAT'],
    ['a time that is a number', { type: 'a', timestamp: 7 }, 'INVALID_FORMAT'],
    ['nothing', undefined, 'INVALID_FORMAT'],
    ['text', 'hello', 'INVALID_FORMAT'],
    ['more than maxMessageBytes', { type: 'a', payload: { text: 'x'.repeat(1000) } }, 'TOO_LARGE'],
  ])('rejects an invalid message: %s', async (_, message, code) => {
    const hubbub = connect({ redisUrl: 'redis://127.0.0.1:1', maxMessageBytes: 500, timeoutMs: 200 });
    await expect(hubbub.publishToAll(message as Publication)).rejects.toMatchObject({ name: 'HubbubError', code });
  });

  test('rejects an invalid room or user', async () => {
    const hubbub = connect({ redisUrl: 'redis://127.0.0.1:1' });
    await expect(hubbub.publishToRoom('a b', { type: 'a' })).rejects.toMatchObject({ code: 'INVALID_ROOM' });
    await expect(hubbub.publishToUser('', { type: 'a' })).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  });

  test('rejects an invalid session: a message to no edge would be lost silently', async () => {
    const hubbub = connect({ redisUrl: 'redis://127.0.0.1:1' });
    const invalid = { name: 'HubbubError', code: 'INVALID_FORMAT' };
    for (const session of [
      undefined,
      'k3f.1',
      {},
      { id: 's' },
      { id: '', node: 'n' },
      { id: 's', node: 7 },
    ] as never[]) {
      await expect(hubbub.publishToSession(session, { type: 'a' })).rejects.toMatchObject(invalid);
      await expect(hubbub.addToRoom('a', session)).rejects.toMatchObject(invalid);
      await expect(hubbub.removeSession('a', session)).rejects.toMatchObject(invalid);
    }
    const session = { id: 's', node: 'n' };
    await expect(hubbub.publishToSession(session, { type: 'a' }, 'a b')).rejects.toMatchObject({
      code: 'INVALID_ROOM',
    });
    await expect(hubbub.addToRoom('a b', session)).rejects.toMatchObject({ code: 'INVALID_ROOM' });
    await expect(hubbub.addToRoom('a', session, ['fly'] as never)).rejects.toMatchObject(invalid);
    await expect(hubbub.addToRoom('a', session, 'join' as never)).rejects.toMatchObject(invalid);
  });

  test.each<[string, unknown]>([
    ['redisUrl', undefined],
    ['redisUrl', '127.0.0.1:6379'],
    ['redisUrl', 'http://127.0.0.1'],
    ['timeoutMs', 0],
    ['timeoutMs', '5'],
    ['maxPending', 0],
    ['maxMessageBytes', 1.5],
    ['presencePartitions', 0],
  ])('rejects an invalid option: %s %j', (option, value) => {
    const options = { redisUrl: 'redis://127.0.0.1:1', [option]: value } as HubbubOptions;
    expect(() => connectHubbub(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_FORMAT', message: expect.stringContaining(option) }),
    );
  });

  test('rejects an invalid control, and a type that only controls have', async () => {
    const hubbub = connect({ redisUrl: 'redis://127.0.0.1:1' });
    const invalid = { name: 'HubbubError', code: 'INVALID_FORMAT' };
    await expect(hubbub.closeRoom('a b')).rejects.toMatchObject({ code: 'INVALID_ROOM' });
    await expect(hubbub.closeRoom('a', 'x'.repeat(124))).rejects.toMatchObject(invalid);
    await expect(hubbub.removeFromRoom('a', '')).rejects.toMatchObject(invalid);
    await expect(hubbub.disconnectUser('')).rejects.toMatchObject(invalid);
    await expect(hubbub.publishToRoom('a', { type: 'hubbub.close_room' })).rejects.toMatchObject(invalid);
  });

  test('rejects in bounded time while Redis is down, and lets no more than maxPending wait', async () => {
    const hubbub = connect({ redisUrl: 'redis://127.0.0.1:1', timeoutMs: 300, maxPending: 2 });
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => hubbub.publishToAll({ type: 'a' })));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(HubbubError) });
    }
    // A message that waits for a connection may still leave after its time; one beyond maxPending never does.
    const unknown = { reason: { code: 'OUTCOME_UNKNOWN', retryable: false } };
    const message = expect.stringContaining('2 messages wait');
    expect(outcomes).toMatchObject([unknown, unknown, { reason: { code: 'UNAVAILABLE', retryable: true, message } }]);
  });
});
