/**
 * Makes "at least once" once: a document remembers which entries it has seen, in the same update as what they changed,
 * and what the last of each stream has to tell, until that is told for sure: before the next entry is handled.
 */
import type { Message, PairwiseSession, Source } from './session-document.js';
import type { Change } from './session-rules.js';

/** An instance that froze with an entry in its hands is further behind than this only after its lease is long gone. */
const ENTRIES_KEPT = 100;

/** @param change what the entry does; not called when it was done before */
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

/** What the entry has to tell; nothing when a later one was handled, which comes after all was told. */
export function toTell(session: PairwiseSession, source: Source, entryId: string): readonly Message[] {
  const { entries, messages } = session.handled[source];
  return entries.at(-1) === entryId ? messages : [];
}
