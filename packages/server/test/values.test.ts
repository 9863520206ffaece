/** Values that the server SDK sends or refuses. It throws only `HubbubError`, whatever the arguments. */
import { MemoryCluster } from '@hubbub/broker';
import { Channels, decodeEnvelope, HubbubError } from '@hubbub/protocol';
import { describe, expect, test } from 'vitest';
import { CIRCULAR, REFUSED_VALUES } from '../../protocol/test/refused-values.js';
import { connectHubbub, createHubbub, createTokenMint, type Publication } from '../src/index.js';

const brokerClient = new MemoryCluster().open();
const hubbub = createHubbub(brokerClient);
const publish = (payload: unknown) => hubbub.publishToRoom('general', { type: 'a', payload } as Publication);

describe('a service', () => {
  test.each(REFUSED_VALUES)('refuses %s, by its path', async (_, payload, problem) => {
    const error = await publish(payload).catch(error => error);
    expect(error).toBeInstanceOf(HubbubError);
    expect(error).toMatchObject({ code: 'INVALID_PAYLOAD', message: expect.stringContaining(problem) });
  });

  test('refuses a value that contains itself, and one that throws when it is read', async () => {
    const throwing = {
      get a() {
        throw new TypeError('not now');
      },
    };
    for (const payload of [CIRCULAR, throwing]) {
      await expect(publish(payload)).rejects.toMatchObject({ name: 'HubbubError', code: 'INVALID_PAYLOAD' });
    }
  });

  test('sends bytes in the documented form, and dates as RFC 3339', async () => {
    const channel = new Channels().room('bytes');
    const bodies: unknown[] = [];
    brokerClient.broker.onEnvelope((from, envelope) => {
      if (from === channel) bodies.push(JSON.parse(Buffer.from(decodeEnvelope(envelope)?.body ?? []).toString()));
    });
    await brokerClient.broker.subscribe(channel);
    const payload = { a: Buffer.from('abc'), b: [new Uint8Array([1])], c: new Date(0) };
    await hubbub.publishToRoom('bytes', { type: 'a', payload });
    await expect.poll(() => bodies).toHaveLength(1);
    expect(bodies[0]).toMatchObject({
      payload: { a: { $base64: 'YWJj' }, b: [{ $base64: 'AQ==' }], c: '1970-01-01T00:00:00.000Z' },
    });
  });
});

describe('with any arguments it throws only HubbubError', () => {
  const garbage: readonly unknown[] = [undefined, null, 7, 'a b', '', [], {}, Symbol('x'), 1n, () => {}, new Map()];
  // Every method by its own name, each argument replaced by garbage in turn.
  const calls: Readonly<Record<string, readonly unknown[]>> = {
    publishToRoom: ['general', { type: 'a' }],
    publishToUser: ['u1', { type: 'a' }],
    publishToAll: [{ type: 'a' }],
    publishToSession: [{ id: 's', node: 'n' }, { type: 'a' }, 'general'],
    closeRoom: ['general', 'reason', {}],
    removeFromRoom: ['general', 'u1', 'reason', {}],
    disconnectUser: ['u1', 'reason', {}],
    addToRoom: ['general', { id: 's', node: 'n' }, ['join']],
    removeSession: ['general', { id: 's', node: 'n' }, 'reason'],
    deadLetters: ['default', 'group', 1],
    onEvents: ['default', { group: 'g' }, () => {}],
    onLifecycle: [{ group: 'g' }, () => {}],
  };
  const attempts = Object.entries(calls).flatMap(([name, args]) =>
    args.flatMap((_, index) => garbage.map(value => [name, args.with(index, value)] as const)),
  );

  const failureOf = async (call: () => unknown): Promise<unknown> => {
    try {
      const result = await call();
      await (result as { close?: () => unknown } | undefined)?.close?.();
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const foreign = (error: unknown) => error !== undefined && !(error instanceof HubbubError);

  test('in the methods of a hub', async () => {
    const methods = hubbub as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
    const wrong: unknown[] = [];
    for (const [name, args] of attempts) {
      const error = await failureOf(() => methods[name]?.(...args));
      if (foreign(error)) wrong.push([name, args, String(error)]);
    }
    expect(wrong).toEqual([]);
  });

  test('in presence, in the mint of tokens, and in connecting', async () => {
    const { presence } = createHubbub(brokerClient, { presence: { url: 'http://127.0.0.1:9', apiKey: 'k' } });
    const mint = createTokenMint({ key: 'a secret of a test that is long enough' });
    const wrong: unknown[] = [];
    for (const value of garbage as never[]) {
      const failures = [
        await failureOf(() => presence.roster(value)),
        await failureOf(() => presence.roster('general', value)),
        await failureOf(() => presence.user(value)),
        await failureOf(() => mint.session(value)),
        await failureOf(() => mint.session({ user: value })),
        await failureOf(() => mint.session({ user: 'u', name: value, rooms: value, ttlMs: value })),
        await failureOf(() => mint.room(value)),
        await failureOf(() => mint.room({ user: 'u', room: value })),
        await failureOf(() => createTokenMint(value)),
        await failureOf(() => createTokenMint({ key: value })),
        await failureOf(() => createHubbub(brokerClient, value)),
        await failureOf(() => connectHubbub(value)),
        await failureOf(() => connectHubbub({ redisUrl: value })),
        await failureOf(() => connectHubbub({ redisUrl: 'redis://127.0.0.1:1', registryRedisUrl: value ?? 0 })),
      ];
      wrong.push(
        ...failures
          .map((error, index) => [index, String(value), String(error)])
          .filter((_, index) => foreign(failures[index])),
      );
    }
    expect(wrong).toEqual([]);
  });
});
