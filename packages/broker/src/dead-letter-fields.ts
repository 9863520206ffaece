/** A dead letter as the text fields of docs/redis-contract.md: four of its own, then those of the event. */

import { fieldMap } from './event-fields.js';
import type { DeadLetter } from './event-log.js';

const OWN_TEXTS = 8;

/** @param readEvent the event in its fields; `undefined` if it is malformed */
export function readDeadLetter<Event>(
  letterId: string,
  texts: readonly string[],
  readEvent: (texts: readonly string[]) => Event | undefined,
): DeadLetter<Event> {
  const own = fieldMap(texts.slice(0, OWN_TEXTS));
  const event = readEvent(texts.slice(OWN_TEXTS));
  return {
    letterId,
    entryId: own.get('entry') ?? '',
    ...(event !== undefined && { event }),
    attempt: Number(own.get('attempts')),
    reason: own.get('reason') ?? '',
    buriedAtMs: Number(own.get('buried_at')),
  };
}
