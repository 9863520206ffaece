/** Shared parts of stories of client events: an event, a log of their own, and its consumers. */
import { randomUUID } from 'node:crypto';
import type { ClientEvent } from '@hubbub/protocol';
import { expect } from 'vitest';
import type { EventAppend, EventEntry, EventLog } from '../src/event-log.js';

export const AT_ONCE = { limit: 100, waitMs: 0 };
export const LEASE_MS = 10_000;

export function eventOf(text: string, more: Partial<ClientEvent> = {}): ClientEvent {
  return {
    type: 'vote_submitted',
    room: 'game:42',
    id: text,
    payload: { text },
    user: { id: 'alice', name: 'Alice' },
    session: { id: 'k3f.1', node: 'edge-1' },
    rooms: ['game:42', 'general'],
    atMs: 1_700_000_000_123,
    ...more,
  };
}

/** A new log. `open` returns one process's view; all views of a file share the same logs. */
export async function newEventLog(open: () => Promise<EventLog>) {
  const log = await open();
  const namespace = `game-${randomUUID()}`;
  const append = (text: string, more: Partial<EventAppend> = {}) =>
    log.append({ namespace, event: eventOf(text), maxLength: 1000, ttlMs: 60_000, ...more });
  return {
    log,
    namespace,
    append,
    async appendAll(...texts: string[]) {
      for (const text of texts) await append(text);
    },
    /** The view of another process of the service. */
    group: async (name = 'referee') => (await open()).group(namespace, name),
    async holding(consumer: string, name = 'referee') {
      const group = (await open()).group(namespace, name);
      expect(await group.hold(consumer, LEASE_MS)).toBe(true);
      return group;
    },
  };
}

export function textsOf(entries: readonly EventEntry[]): string[] {
  return entries.map(({ event }) => event.id);
}

export function idOf(entry: EventEntry | undefined): string {
  return entry?.entryId ?? 'missing';
}
