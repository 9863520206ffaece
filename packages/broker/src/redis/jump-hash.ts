/**
 * Returns the bucket of a key. A new bucket takes only its share from the others, and nothing moves between them.
 *
 * Source: J. Lamping, E. Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014, figure 1.
 *
 * @param key a whole number
 * @param buckets 1 and more
 * @returns 0 to `buckets - 1`
 */
export function jumpHash(key: number, buckets: number): number {
  let state = BigInt.asUintN(64, BigInt(key));
  let bucket = -1;
  let next = 0;
  while (next < buckets) {
    bucket = next;
    state = BigInt.asUintN(64, state * 2_862_933_555_777_941_757n + 1n);
    next = Math.floor((bucket + 1) * (2 ** 31 / Number((state >> 33n) + 1n)));
  }
  return bucket;
}
