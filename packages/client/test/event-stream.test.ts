/** Reading server-sent events: whatever the network makes of the pieces, what an edge wrote arrives. */
import type { Frame } from '@hubbub/protocol';
import { closeEventText, eventText, HEARTBEAT, retryText } from '@hubbub/protocol/event-stream';
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { createEventReader, openEventStream, type StreamEvent } from '../src/event-stream.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEvents, settle } from './support/fake-events.js';

useFakeClock();
afterEach(() => vi.unstubAllGlobals());

const written = fc.oneof(
  fc.constant({ text: new TextDecoder().decode(HEARTBEAT), frame: undefined }),
  fc.integer({ min: 0, max: 9_999 }).map(ms => ({ text: retryText(ms), frame: undefined })),
  fc
    .record({
      type: fc.constantFrom('new_message', 'room_gap', 'build.finished'),
      room: fc.constantFrom('a', 'chat:42'),
      payload: fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' })),
      offset: fc.nat(),
      epoch: fc.constantFrom('e1', 'a:b,c'),
    })
    .map((frame: Frame) => ({ text: eventText(frame, true), frame })),
);

it('takes every event once, in order, however the text is cut', () => {
  fc.assert(
    fc.property(fc.array(written), fc.array(fc.nat(), { maxLength: 20 }), (events, cuts) => {
      const text = events.map(event => event.text).join('');
      const ends = cuts.map(cut => cut % (text.length + 1)).sort((a, b) => a - b);
      const got: StreamEvent[] = [];
      const feed = createEventReader(event => got.push(event));
      [...ends, text.length].reduce((from, to) => {
        feed(text.slice(from, to));
        return to;
      }, 0);
      expect(got).toHaveLength(events.length);
      for (const [at, { frame }] of events.entries()) {
        expect(got[at]?.data === undefined ? undefined : JSON.parse(got[at]?.data ?? '')).toEqual(
          frame && JSON.parse(JSON.stringify(frame)),
        );
        expect(got[at]?.id).toBe(frame && `${encodeURIComponent(frame.epoch ?? '')}:${frame.offset}`);
      }
    }),
  );
});

it('reads the fields of the end', () => {
  const got: StreamEvent[] = [];
  createEventReader(event => got.push(event))(closeEventText(4200, 'bye: now', 3_600_000));
  expect(got).toEqual([{ retry: '3600000', event: 'close', data: '{"code":4200,"reason":"bye: now"}' }]);
});

/** Opens a stream that is closed at its event `stop`. `reports` has what it calls. */
async function openStream() {
  const events = new FakeEvents();
  const reports: unknown[] = [];
  const close = openEventStream({
    url: 'http://edge.test/events',
    headers: {},
    take(event) {
      reports.push(event.data);
      if (event.data === 'stop') close();
    },
    ended: ({ code, reason }) => reports.push([code, reason]),
  });
  await settle();
  return { stream: events.stream, reports };
}

it('takes nothing after the event that ends the stream, although it has arrived', async () => {
  const { stream, reports } = await openStream();
  await stream.write(`data: 1\n\n${closeEventText(4200, 'bye', 0)}data: 2\n\n`);
  expect(reports).toEqual(['1', [4200, 'bye']]);
});

it('reports nothing after it was closed: no event that has arrived, and no end', async () => {
  const { stream, reports } = await openStream();
  await stream.write('data: stop\n\ndata: 2\n\n');
  expect(reports).toEqual(['stop']);
});
