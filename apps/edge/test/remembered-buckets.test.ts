/** Buckets without a holder: each change checks a few, so that full ones do not stay. */

import { TokenBucket } from '@hubbub/runtime';
import { expect, test } from 'vitest';
import { RememberedBuckets } from '../src/limits/keyed-buckets.js';

const RATE = { perSecond: 1, burst: 10 };

/** A bucket that is full again after `seconds`. */
function bucketWithDebt(seconds: number, nowMs = 0): TokenBucket {
  const bucket = new TokenBucket(RATE, nowMs);
  bucket.take(seconds);
  return bucket;
}

test('full buckets are removed as others arrive, without a call for the size', () => {
  const buckets = new RememberedBuckets(RATE);
  for (let n = 0; n < 100; n++) buckets.put(`early-${n}`, bucketWithDebt(1), 0);
  expect(buckets.size).toBe(100);
  for (let n = 0; n < 100; n++) buckets.put(`late-${n}`, bucketWithDebt(1000, 2000), 2000);
  expect(buckets.size).toBe(100);
  expect(buckets.keys).toBe(100);
});

test('buckets with a long debt do not block the check of later ones', () => {
  const buckets = new RememberedBuckets(RATE);
  for (let n = 0; n < 3; n++) buckets.put(`debtor-${n}`, bucketWithDebt(1000), 0);
  for (let n = 0; n < 10; n++) buckets.put(`early-${n}`, bucketWithDebt(1), 0);
  for (let n = 0; n < 20; n++) buckets.take('nobody', 2000);
  expect(buckets.size).toBe(3);
});

test('a key without a remaining bucket is not remembered', () => {
  const buckets = new RememberedBuckets(RATE);
  buckets.put('alice', bucketWithDebt(5), 0);
  buckets.put('alice', bucketWithDebt(6), 0);
  expect([buckets.size, buckets.keys]).toEqual([2, 1]);
  buckets.take('alice', 0);
  expect([buckets.size, buckets.keys]).toEqual([1, 1]);
  buckets.take('alice', 0);
  expect([buckets.size, buckets.keys]).toEqual([0, 0]);
  expect(buckets.take('alice', 0).level(0)).toBe(RATE.burst);
});
