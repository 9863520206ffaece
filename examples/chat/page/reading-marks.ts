/** How far this tab has read in each room: what is behind it is unread, also after a reload. */
import { keep, kept } from '../../page/kept.js';

interface ReadingMark {
  readonly epoch: string;
  readonly offset: number;
}

/** The offset up to which was read; `undefined` where nothing is known of this epoch. */
export function readUpTo(room: string, epoch: string): number | undefined {
  const mark = kept<ReadingMark>(`chat:read:${room}`);
  return mark?.epoch === epoch ? mark.offset : undefined;
}

export function markRead(room: string, mark: ReadingMark): void {
  keep(`chat:read:${room}`, mark);
}
