/** An internal fault during admission: the request is refused and the fault is logged, without any token. */
import { HubbubError } from '@hubbub/protocol';
import { expect, test, vi } from 'vitest';
import { SILENT } from '../../../tests/support/silent-logger.js';
import { createAdmissionFailures } from '../src/admission/admission-failures.js';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';

test('answers a fault with UNAVAILABLE and logs repeated faults once, without the token', () => {
  const error = vi.fn();
  const toRefusal = createAdmissionFailures({ ...SILENT, error });
  for (let time = 0; time < 3; time++) {
    expect(toRefusal(new TypeError(`cannot read ${TOKEN}`))).toMatchObject({ code: 'UNAVAILABLE' });
  }
  expect(error).toHaveBeenCalledOnce();
  expect(error.mock.calls[0]?.[0]).toMatchObject({
    event: 'admission_failed',
    err: expect.stringContaining('TypeError: cannot read [token]'),
  });
  expect(JSON.stringify(error.mock.calls)).not.toContain(TOKEN);
});

test('does not count a refusal as a fault', () => {
  const error = vi.fn();
  const warn = vi.fn();
  const refusal = new HubbubError('FORBIDDEN', 'The token does not open this room.');
  expect(createAdmissionFailures({ ...SILENT, error, warn })(refusal)).toBe(refusal);
  expect(error).not.toHaveBeenCalled();
  expect(warn).not.toHaveBeenCalled();
});

test('logs repeated refusals of tokens once, with the reason', () => {
  const warn = vi.fn();
  const toRefusal = createAdmissionFailures({ ...SILENT, warn });
  const message = "The token's claim sub is not 1 to 128 bytes.";
  for (let time = 0; time < 3; time++) toRefusal(new HubbubError('UNAUTHORIZED', message));
  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.calls[0]?.[0]).toMatchObject({ event: 'token_refused', reason: message });
});
