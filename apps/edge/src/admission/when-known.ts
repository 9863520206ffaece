/** Continues with a value that is mostly known immediately: an upgrade that awaits nothing is answered within the engine's callback. */

/** `next(value)`, now or when the value is there. An error of `next` is thrown if it runs now, and rejects if it runs later. */
export function whenKnown<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
