/** A fault of ours while a request is judged: nobody gets in by it, it is told to the log, and no token is. */
import { HubbubError } from '@hubbub/protocol';
import { expect, test, vi } from 'vitest';
import { createAdmissionFailures } from '../src/admission/admission-failures.js';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';

test('a fault is UNAVAILABLE, logged once for many, without the token', () => {
  const error = vi.fn();
  const asRefusal = createAdmissionFailures({ error });
  for (let time = 0; time < 3; time++) {
    expect(asRefusal(new TypeError(`cannot read ${TOKEN}`))).toMatchObject({ code: 'UNAVAILABLE' });
  }
  expect(error).toHaveBeenCalledOnce();
  expect(error.mock.calls[0]?.[0]).toMatchObject({
    event: 'admission_failed',
    err: expect.stringContaining('TypeError: cannot read [token]'),
  });
  expect(JSON.stringify(error.mock.calls)).not.toContain(TOKEN);
});

test('a refusal is none, and not logged', () => {
  const error = vi.fn();
  const refusal = new HubbubError('UNAUTHORIZED', 'The token is not valid.');
  expect(createAdmissionFailures({ error })(refusal)).toBe(refusal);
  expect(error).not.toHaveBeenCalled();
});
