/**
 * Makes "at least once" once. A document remembers the handled entries, in the same update as their changes. It also
 * remembers the messages of each stream's last entry, until they are sent for sure: before the next entry is handled.
 */
import type { Message, PairwiseSession, Source } from './session-document.js';
import type { Change } from './session-rules.js';

/** An instance that froze with an entry in its hands is further behind than this only after its lease is long gone. */
const ENTRIES_KEPT = 100;

/** @param change of the entry; not called if it was handled before */
export function once(
  session: PairwiseSession,
  source: Source,
  entryId: string,
  change: (session: PairwiseSession) => Change,
): PairwiseSession {
  const { entries } = session.handled[source];
  if (entries.includes(entryId)) return session;
  const { session: next, messages } = change(session);
  const handled = { entries: [...entries, entryId].slice(-ENTRIES_KEPT), messages };
  return { ...next, handled: { ...next.handled, [source]: handled } };
}

/** The messages of the entry; none if a later one was handled, because then all were sent. */
export function toTell(session: PairwiseSession, source: Source, entryId: string): readonly Message[] {
  const { entries, messages } = session.handled[source];
  return entries.at(-1) === entryId ? messages : [];
}
