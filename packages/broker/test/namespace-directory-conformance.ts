/** The guarantees of every directory of namespaces. Run against memory and against a real Redis. */
import { expect, test } from 'vitest';
import type { NamespaceDirectory } from '../src/namespace-directory.js';

const CHAT = { historySize: 100, historyTtlMs: 60_000 };
const UNCONFIGURED = { historySize: 0, historyTtlMs: 300_000 };

/** `open` makes a new, empty directory that asks again for each lookup. */
export function namespaceDirectoryConformance(open: () => Promise<NamespaceDirectory>): void {
  test('a lookup returns the announced settings, and the defaults for other namespaces', async () => {
    const directory = await open();
    expect(await directory.lookup('chat')).toEqual(UNCONFIGURED);
    await directory.announce(new Map([['chat', CHAT]]));
    expect(await directory.lookup('chat')).toEqual(CHAT);
    expect(await directory.lookup('game')).toEqual(UNCONFIGURED);
    expect(await directory.lookup('default')).toEqual(UNCONFIGURED);
  });

  test('a durable namespace is announced as one', async () => {
    const directory = await open();
    await directory.announce(new Map([['orders', { ...CHAT, durable: true }]]));
    expect(await directory.lookup('orders')).toEqual({ ...CHAT, durable: true });
  });

  test('the default namespace may be announced like any other', async () => {
    const directory = await open();
    await directory.announce(new Map([['default', CHAT]]));
    expect(await directory.lookup('default')).toEqual(CHAT);
    expect(await directory.lookup('chat')).toEqual(UNCONFIGURED);
  });

  test('an announcement takes the place of the one before', async () => {
    const directory = await open();
    await directory.announce(new Map([['chat', CHAT]]));
    await directory.announce(new Map([['game', { ...CHAT, historySize: 5 }]]));
    expect(await directory.lookup('chat')).toEqual(UNCONFIGURED);
    expect(await directory.lookup('game')).toEqual({ ...CHAT, historySize: 5 });
    await directory.announce(new Map());
    expect(await directory.lookup('game')).toEqual(UNCONFIGURED);
  });
}
