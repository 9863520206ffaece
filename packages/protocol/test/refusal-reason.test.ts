/** Refusals in a close reason: never longer than a control frame permits, and read as they were written. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../src/errors.js';
import { readRefusalReason, writeRefusalReason } from '../src/refusal-reason.js';

const codes = ERROR_CODES;

describe('a refusal in a close reason', () => {
  test('survives, with its message as far as 123 bytes reach', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...codes),
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.option(fc.integer({ min: 1, max: 86_400_000 }), { nil: undefined }),
        (code, message, retryAfterMs) => {
          const reason = writeRefusalReason({ code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) });
          expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
          const read = readRefusalReason(reason);
          expect(read).toMatchObject({ code });
          expect(read?.retryAfterMs).toBe(retryAfterMs);
          expect(message.replace(/[^\x20-\x7e]/g, '?').startsWith(read?.message ?? 'none')).toBe(true);
        },
      ),
    );
  });

  test('keeps a short message whole', () => {
    const refusal = { code: 'UNAUTHORIZED', message: 'The token has expired.' } as const;
    expect(readRefusalReason(writeRefusalReason(refusal))).toEqual(refusal);
  });

  test.each(['', 'kicked', '7', 'null', '[]', '{}', '{"code":"NO_SUCH_CODE"}', '{"code":'])(
    'is not taken from the reason %j',
    reason => expect(readRefusalReason(reason)).toBeUndefined(),
  );
});
