/** The last frames on the wire, in both directions, as the socket carried them. */
import type { Frame, FrameTap } from '@hubbub/client';

/** Enough to look back at a dialogue, few enough for the page to stay quick. */
const MAX_FRAMES = 500;
const UNREADABLE = '(unreadable)';

export interface LoggedFrame {
  readonly number: number;
  readonly at: Date;
  readonly direction: FrameTap['direction'];
  readonly type: string;
  readonly room: string | undefined;
  /** The frame as JSON in one line, also if it was sent as MessagePack; malformed data, unchanged. */
  readonly json: string;
  /** The bytes in hexadecimal, if it was sent as MessagePack. */
  readonly hex: string | undefined;
  readonly bytes: number;
  readonly frame: Frame | undefined;
}

export class FrameLog {
  #frames: LoggedFrame[] = [];
  #types = new Set<string>();
  #count = 0;

  get frames(): readonly LoggedFrame[] {
    return this.#frames;
  }

  /** Types seen so far, in alphabetical order. */
  get types(): readonly string[] {
    return [...this.#types].sort();
  }

  add({ direction, raw, frame }: FrameTap): LoggedFrame {
    const type = frame?.type ?? UNREADABLE;
    const hex = typeof raw === 'string' ? undefined : hexOf(raw);
    this.#types.add(type);
    const logged = {
      number: ++this.#count,
      at: new Date(),
      direction,
      type,
      room: frame?.room,
      json: typeof raw === 'string' ? raw : frame === undefined ? (hex ?? '') : JSON.stringify(frame),
      hex,
      bytes: typeof raw === 'string' ? new TextEncoder().encode(raw).length : raw.length,
      frame,
    };
    this.#frames.push(logged);
    if (this.#frames.length > MAX_FRAMES) this.#frames.shift();
    return logged;
  }

  clear(): void {
    this.#frames = [];
    this.#types.clear();
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(' ');
}

export function prettyJson(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json; // The data was not JSON, and is shown unchanged.
  }
}
