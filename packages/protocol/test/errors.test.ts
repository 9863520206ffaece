/** Errors and close codes direct a program by their code and never by their text. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLOSE_CODES, closeAdvice } from '../src/close-codes.js';
import { ERROR_CODES, HubbubError, isErrorCode } from '../src/errors.js';

describe('an error', () => {
  test('knows whether to try again', () => {
    expect(new HubbubError('RATE_LIMITED', 'Wait.').retryable).toBe(true);
    expect(new HubbubError('FORBIDDEN', 'No.').retryable).toBe(false);
  });

  test('keeps its cause', () => {
    const cause = new Error('ECONNRESET');
    expect(new HubbubError('UNAVAILABLE', 'Redis does not answer.', { cause }).cause).toBe(cause);
  });

  test('has a code of the catalogue, and nothing inherited is one', () => {
    for (const code of ERROR_CODES) expect(isErrorCode(code)).toBe(true);
    for (const other of ['toString', 'constructor', '__proto__', 'not_in_room', '', 7, null]) {
      expect(isErrorCode(other)).toBe(false);
    }
  });
});

describe('after a close a client', () => {
  const range = (min: number, max: number) => fc.integer({ min, max });

  test('reconnects, renews or stops by the range of the code', () => {
    fc.assert(fc.property(range(4000, 4099), code => closeAdvice(code) === 'reconnect'));
    fc.assert(fc.property(range(4100, 4199), code => closeAdvice(code) === 'renew'));
    fc.assert(fc.property(range(4200, 4299), code => closeAdvice(code) === 'stop'));
  });

  test('reconnects after an undocumented code', () => {
    const known: readonly number[] = Object.values(CLOSE_CODES);
    const unknown = fc.oneof(range(0, 3999), range(4300, 65_535)).filter(code => !known.includes(code));
    fc.assert(fc.property(unknown, code => closeAdvice(code) === 'reconnect'));
  });
});
