/** Goes on with a value that is mostly known at once: an upgrade that awaits nothing is answered within the engine's callback. */

/** `next(value)`, now or when the value is there. What `next` throws now is thrown; what it throws later rejects. */
export function whenKnown<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
