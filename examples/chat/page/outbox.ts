/** Messages on their way: kept by the tab, so that not even a reload loses one. */
import { keep, kept } from '../../page/kept.js';

export interface Outgoing {
  readonly room: string;
  readonly id: string;
  readonly content: string;
  readonly replyTo?: string;
  /** Milliseconds since 1970, when it was written. */
  readonly atMs: number;
}

const KEY = 'chat:outbox';
/** The hub knows an id again for 5 minutes: until then sending it again never doubles it. */
const REPEATABLE_MS = 4 * 60_000;

export function waitingIn(room: string): readonly Outgoing[] {
  return all().filter(message => message.room === room);
}

export function putIn(message: Outgoing): void {
  takeOut(message);
  keep(KEY, [...all(), message]);
}

export function takeOut({ room, id }: Pick<Outgoing, 'room' | 'id'>): void {
  keep(
    KEY,
    all().filter(message => message.room !== room || message.id !== id),
  );
}

export function isRepeatable({ atMs }: Outgoing): boolean {
  return Date.now() - atMs < REPEATABLE_MS;
}

function all(): readonly Outgoing[] {
  return kept<readonly Outgoing[]>(KEY) ?? [];
}
