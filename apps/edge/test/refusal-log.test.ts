/** Refusals in the log: one line a second for each reason, with what a developer needs, and without tokens. */
import { HubbubError } from '@hubbub/protocol';
import { inSpan, type Span } from '@hubbub/runtime';
import { beforeEach, expect, test, vi } from 'vitest';
import { SILENT } from '../../../tests/support/silent-logger.js';
import { createRefusalLog } from '../src/admission/refusal-log.js';
import { LIMITS, LimitExceeded } from '../src/limits/limit-exceeded.js';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';
const REQUEST = { address: '192.0.2.1', host: 'hub.example', origin: 'https://a.example', pathRoom: undefined };
const SESSION = { id: 's1', user: { id: 'ada' }, address: '192.0.2.1' };
const forbidden = new HubbubError('FORBIDDEN', 'The right `join` is missing.');

const warn = vi.fn();
const error = vi.fn();
const log = () => createRefusalLog({ ...SILENT, warn, error });
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  warn.mockClear();
  error.mockClear();
});

test('a refused connection is logged with code, reason, origin, host and room', () => {
  const refusal = new HubbubError('ORIGIN_NOT_ALLOWED', 'This origin may not connect.');
  expect(log().connection(refusal, { ...REQUEST, pathRoom: 'chat:42' })).toBe(refusal);
  expect(warn.mock.calls).toEqual([
    [
      {
        event: 'connection_refused',
        code: 'ORIGIN_NOT_ALLOWED',
        limit: undefined,
        reason: 'This origin may not connect.',
        address: '192.0.2.1',
        origin: 'https://a.example',
        host: 'hub.example',
        room: 'chat:42',
        suppressed: 0,
      },
      'refused a connection',
    ],
  ]);
});

test('a refused frame is logged with its type, session and limit', () => {
  log().frame(new LimitExceeded('user_frames', 'RATE_LIMITED', 'Too many frames.', 40), 'send_message', SESSION);
  expect(warn.mock.calls[0]?.[0]).toMatchObject({
    event: 'frame_refused',
    code: 'RATE_LIMITED',
    limit: 'user_frames',
    type: 'send_message',
    session: 's1',
    user: 'ada',
  });
});

test('the line of a traced join has the ids of its span', async () => {
  const ids = { trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: '00f067aa0ba902b7' };
  const span = { logFields: ids, end: vi.fn() } as unknown as Span;
  const failed = new HubbubError('UNAVAILABLE', 'Redis did not confirm the subscription.');
  await expect(inSpan(span, () => Promise.reject(failed))).rejects.toBe(failed);
  log().frame(failed, 'join_room', SESSION);
  log().frame(forbidden, 'join_room', SESSION);
  expect(warn.mock.calls[0]?.[0]).toMatchObject(ids);
  expect(warn.mock.calls[1]?.[0]).not.toHaveProperty('trace_id');
});

test('of each reason one line a second is written; the next one counts those that were held back', () => {
  const { connection, frame } = log();
  for (let time = 0; time < 5; time++) connection(forbidden, REQUEST);
  for (let time = 0; time < 3; time++) frame(forbidden, 'typing', SESSION);
  connection(new HubbubError('UNAUTHORIZED', 'The token has expired.'), REQUEST);
  expect(warn).toHaveBeenCalledTimes(3);
  vi.advanceTimersByTime(1000);
  connection(forbidden, REQUEST);
  expect(warn.mock.lastCall?.[0]).toMatchObject({ code: 'FORBIDDEN', suppressed: 4 });
});

test('clients cannot make more lines than there are codes and limits', () => {
  const { frame } = log();
  for (let n = 0; n < 10_000; n++) {
    frame(new HubbubError('UNKNOWN_TYPE', `Unknown frame type x${n}.`), `x${n}`, SESSION);
    const limit = LIMITS[n % LIMITS.length] ?? 'rooms';
    frame(new LimitExceeded(limit, 'RATE_LIMITED', `Wait ${n} ms.`), 'typing', SESSION);
  }
  expect(warn).toHaveBeenCalledTimes(1 + LIMITS.length);
});

test('texts of clients are shortened to whole characters, and tokens are removed', () => {
  const { connection } = log();
  connection(new HubbubError('FORBIDDEN', `denied ${TOKEN} ${'y'.repeat(500)}`), {
    ...REQUEST,
    origin: `${'o'.repeat(199)}\u{1f600}`,
  });
  const [{ reason, origin } = { reason: '', origin: '' }] = warn.mock.calls[0] as [{ reason: string; origin: string }?];
  expect(reason).toMatch(/^denied \[token\] y+$/);
  expect(reason).toHaveLength(200);
  expect(origin).toBe('o'.repeat(199));
});

test('a fault is answered with UNAVAILABLE and logged once with its stack, without the token', () => {
  const { connection } = log();
  for (let time = 0; time < 3; time++) {
    expect(connection(new TypeError(`cannot read ${TOKEN}`), REQUEST)).toMatchObject({ code: 'UNAVAILABLE' });
  }
  expect(error).toHaveBeenCalledOnce();
  expect(error.mock.calls[0]?.[0]).toMatchObject({
    event: 'admission_failed',
    err: expect.stringContaining('TypeError: cannot read [token]'),
  });
  expect(JSON.stringify([...error.mock.calls, ...warn.mock.calls])).not.toContain(TOKEN);
});
