/** The id of an event: the position of the reader in each room of its request, `<epoch>:<offset>` joined by commas. */
import type { Position } from '../envelope.js';
import { EPOCH_MAX_BYTES } from '../limits.js';
import { toWellFormed } from '../text.js';

/** Of one request: an id of so many rooms fits into the headers of a request. */
export const STREAM_MAX_ROOMS = 20;

/** Between the rooms. */
export const POSITION_SEPARATOR = ',';
/** At most 16 digits: a larger number is not a safe integer. */
const POSITION = /^([^:,]+):(\d{1,16})$/;

/** Epochs are opaque: a character that has a meaning here, or none in a header, is escaped as in a URL. */
export function writeStreamPosition({ epoch, offset }: Position): string {
  return `${encodeURIComponent(toWellFormed(epoch))}:${offset}`;
}

/**
 * The positions in an id, one for each room of the request, in its order; `undefined` where the reader has none.
 * Returns `undefined` for a text that is not an id of so many rooms.
 *
 * @example readStreamPositions('LFGuZg0--Nbh:42,', 2) // [{ epoch: 'LFGuZg0--Nbh', offset: 42 }, undefined]
 */
export function readStreamPositions(id: string, rooms: number): (Position | undefined)[] | undefined {
  const parts = id.split(POSITION_SEPARATOR, STREAM_MAX_ROOMS + 1);
  if (parts.length !== rooms) return undefined;
  const positions = parts.map(part => (part === '' ? undefined : readPosition(part)));
  return positions.includes(null) ? undefined : (positions as (Position | undefined)[]);
}

/** `null` for another text. */
function readPosition(text: string): Position | null {
  const [, epochText = '', digits = ''] = POSITION.exec(text) ?? [];
  const offset = Number(digits);
  try {
    const epoch = decodeURIComponent(epochText);
    return epoch !== '' && epoch.length <= EPOCH_MAX_BYTES && Number.isSafeInteger(offset) ? { epoch, offset } : null;
  } catch {
    return null; // A broken escape.
  }
}
