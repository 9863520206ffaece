/** Limits that both ends know, with their defaults (PROTOCOL.md section 6). */

/** Sent to the client in `welcome`, under these names. */
export interface SessionLimits {
  readonly max_frame_bytes: number;
  /** 0: no limit. */
  readonly max_frames_per_second: number;
  readonly max_frames_burst: number;
  readonly max_rooms: number;
  readonly max_payload_depth: number;
  readonly max_payload_keys: number;
  readonly max_buffered_bytes: number;
  readonly idle_timeout_ms: number;
  readonly roster_page_size: number;
  readonly max_replay_messages: number;
  readonly history_page_size: number;
}

export const DEFAULT_LIMITS: SessionLimits = /* @__PURE__ */ Object.freeze({
  max_frame_bytes: 4096,
  max_frames_per_second: 100,
  max_frames_burst: 200,
  max_rooms: 100,
  /** Below the 100 levels at which @msgpack/msgpack's encoder gives up. */
  max_payload_depth: 16,
  max_payload_keys: 256,
  max_buffered_bytes: 256 * 4096,
  idle_timeout_ms: 60_000,
  roster_page_size: 100,
  max_replay_messages: 1000,
  history_page_size: 100,
});

/** The epoch of a history, in UTF-8 bytes; ours have 12. */
export const EPOCH_MAX_BYTES = 128;

/** Key under which a service's message may take the place of an older one, in UTF-8 bytes. */
export const CONFLATION_KEY_MAX_BYTES = 64;

/** A frame's `id`, a user's id and a user's name, in UTF-8 bytes. */
export const FRAME_ID_MAX_BYTES = 64;
export const USER_ID_MAX_BYTES = 128;
export const USER_NAME_MAX_BYTES = 128;

/** The length of a text in UTF-8 bytes, which is what limits count. Half a surrogate pair counts 3, as encoders replace it. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
