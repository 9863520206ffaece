/** The types of a session's last frames, packed into one number: 4 bits each, so that a frame costs a shift and no memory. */
import { CLIENT_FRAME_TYPES } from '@hubbub/protocol';
import type { FrameLabel } from '../metrics.js';

const LABELS: readonly FrameLabel[] = ['unreadable', 'client_event', ...CLIENT_FRAME_TYPES];
/** 0 means that there was no frame. */
const CODES = new Map(LABELS.map((label, index) => [label, index + 1]));
const BITS = 4;
const MASK = 0xf;
const MAX_FRAMES = 32 / BITS;

/** The packed types with one more; the oldest of nine is dropped. */
export function addFrame(packed: number, label: FrameLabel): number {
  return (packed << BITS) | (CODES.get(label) ?? 0);
}

/** Oldest first, at most 8. */
export function readFrames(packed: number): FrameLabel[] {
  const frames: FrameLabel[] = [];
  for (let place = MAX_FRAMES - 1; place >= 0; place--) {
    const label = LABELS[((packed >>> (place * BITS)) & MASK) - 1];
    if (label !== undefined) frames.push(label);
  }
  return frames;
}
