/** Messages of rooms with history, as they come live or are read. */
import type { HistoryEntry, HistoryPage } from '@hubbub/broker';
import { decodeEnvelope, type Envelope, type Position } from '@hubbub/protocol';
import type { KeptMessage } from './replay-window.js';
import { replaceForgedMessage } from './withheld-message.js';

/** A message of a room with history, live or read. */
export type RoomMessage = Envelope & Position;

/** The messages of a page, without entries that are not envelopes of this epoch. */
export function messagesOf(page: HistoryPage): RoomMessage[] {
  return page.entries.flatMap(entry => messageOf(entry, page) ?? []);
}

const NO_BODY = new Uint8Array(0);

/** All entries of a page: one that is not an envelope of this epoch keeps its place, so that there is no hole. */
export function keptMessagesOf(page: HistoryPage): KeptMessage[] {
  const { epoch } = page;
  return page.entries.map(
    entry => messageOf(entry, page) ?? { epoch, offset: entry.offset, encoding: 'json', body: NO_BODY },
  );
}

function messageOf({ envelope, offset }: HistoryEntry, { epoch }: Position): RoomMessage | undefined {
  const decoded = decodeEnvelope(envelope);
  return decoded?.epoch === epoch ? replaceForgedMessage({ ...decoded, epoch, offset }) : undefined;
}
