/** The rules of a payload: bounded in depth and keys, and without `__proto__`. */

export interface PayloadBounds {
  /** Levels of objects and arrays, the payload itself being the first. */
  readonly max_payload_depth: number;
  /** Keys of objects and items of arrays, all levels together. */
  readonly max_payload_keys: number;
}

/**
 * Describes the problem of a decoded payload, or `undefined` where nothing is.
 *
 * Bounded work: it stops at the first level or key too many. `__proto__` is refused because MessagePack decoders refuse
 * it, so that one JSON client could make a frame that MessagePack members of the room cannot read.
 */
export function payloadProblem(payload: unknown, bounds: PayloadBounds): string | undefined {
  let keys = 0;
  let level: unknown[] = [payload];
  for (let depth = 1; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const value of level) {
      if (!isContainer(value)) continue;
      if (depth > bounds.max_payload_depth) return `nested deeper than ${bounds.max_payload_depth} levels`;
      if (Array.isArray(value)) {
        keys += value.length;
      } else {
        const names = Object.keys(value);
        keys += names.length;
        if (names.includes('__proto__')) return 'has the key __proto__';
      }
      if (keys > bounds.max_payload_keys) return `has more than ${bounds.max_payload_keys} keys and items`;
      for (const child of Object.values(value)) if (isContainer(child)) next.push(child);
    }
    level = next;
  }
  return undefined;
}

/** Objects and arrays; binary values and dates are leaves. */
function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !(value instanceof Date);
}

/** Whether a decoded value is a JSON object or a MessagePack map. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return isContainer(value) && !Array.isArray(value);
}
