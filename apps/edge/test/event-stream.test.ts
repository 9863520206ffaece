/** The transport of an event stream, on a response whose system takes no more at times. */
import { CLOSE_CODES, readStreamPositions } from '@hubbub/protocol';
import { describe, expect, test } from 'vitest';
import { EventStream, type StreamParts } from '../src/event-streams/event-stream.js';
import { Heartbeats } from '../src/event-streams/heartbeats.js';
import { ReaderPositions } from '../src/event-streams/reader-positions.js';
import { StreamTopics } from '../src/event-streams/stream-topics.js';
import type { Session } from '../src/sessions/session.js';

const HEARTBEAT = ':\n\n';
const event = (room: string, offset: number, text = ''): Buffer =>
  Buffer.from(`id: e:${offset}\ndata: {"room":"${room}","text":"${text}"}\n\n`);

function startStream(rooms: readonly string[], { maxBufferedBytes = 1000 } = {}) {
  const written: string[] = [];
  const log: string[] = [];
  let takes = true;
  let writable = (): boolean => true;
  const response = {
    write(chunk: string | Uint8Array) {
      written.push(Buffer.from(chunk).toString());
      return takes;
    },
    pause: () => {},
    end: () => log.push('ended'),
    close: () => stream.aborted(),
    cork: (write: () => void) => write(),
    onWritable(handler: () => boolean) {
      writable = handler;
    },
  };
  const parts: StreamParts = {
    maxBufferedBytes,
    topics: new StreamTopics(),
    heartbeats: new Heartbeats(60_000),
    closed: (_stream, code) => log.push(`closed ${code}`),
    drained: () => log.push('drained'),
    overflowed: () => log.push('overflowed'),
    unread: () => log.push('unread'),
  };
  const positions = new ReaderPositions(
    rooms,
    rooms.map(() => undefined),
  );
  const reader = { group: '', ownTopics: rooms.length, positions, hasOneRoom: rooms.length === 1 };
  const stream = new EventStream(response, reader, parts);
  stream.begin({} as Session);
  for (const room of rooms) stream.subscribe(room);
  written.length = 0;
  return {
    stream,
    parts,
    written,
    log,
    setTakes(value: boolean) {
      takes = value;
    },
    becomeWritable: () => writable(),
  };
}

describe('a slow reader', () => {
  test('has what it does not take beside the response, counted, and gets it in order', () => {
    const { stream, written, log, setTakes, becomeWritable } = startStream(['a']);
    setTakes(false);
    stream.send(event('a', 1));
    for (const offset of [2, 3]) stream.send(event('a', offset));
    expect(written).toEqual([event('a', 1).toString()]);
    expect(stream.getBufferedAmount()).toBe(3 * event('a', 1).length);

    becomeWritable();
    expect(written.splice(1), 'the engine drains only with a write').toEqual([HEARTBEAT]);
    setTakes(true);
    becomeWritable();
    stream.send(event('a', 4));
    const rest = `${event('a', 2)}${event('a', 3)}`;
    expect(written.splice(1)).toEqual([HEARTBEAT, rest, event('a', 4).toString()]);
    expect(stream.getBufferedAmount()).toBe(0);
    expect(log).toEqual(['drained', 'drained']);
  });

  test('is cut off once, above the bound', async () => {
    const { stream, written, log, setTakes } = startStream(['a'], { maxBufferedBytes: 200 });
    setTakes(false);
    for (let offset = 1; offset <= 20; offset++) stream.send(event('a', offset));
    await new Promise(resolve => setImmediate(resolve));
    expect(log).toEqual(['overflowed', `closed ${CLOSE_CODES.ABNORMAL}`]);
    expect(written).toHaveLength(1);
  });

  test('gets what waits before the end', () => {
    const { stream, written, log, setTakes } = startStream(['a']);
    setTakes(false);
    for (const offset of [1, 2]) stream.send(event('a', offset));
    stream.end(CLOSE_CODES.SERVICE_RESTART, 'leaving');
    stream.send(event('a', 3));
    expect(written[1]).toMatch(
      /^id: e:2\ndata: .*\n\nretry: \d{1,4}\nevent: close\ndata: \{"code":1012,"reason":"leaving"\}\n\n$/,
    );
    expect(log).toEqual(['ended', 'closed 1012']);
  });
});

describe('ids', () => {
  test('of a reader of one room are those of the events', () => {
    const { stream, written } = startStream(['a']);
    stream.send(event('a', 7));
    expect(written).toEqual([event('a', 7).toString()]);
  });

  test('of a reader of several rooms have each position', () => {
    const { stream, written } = startStream(['a', 'b', 'c']);
    stream.send(event('c', 1));
    stream.send(event('a', 5));
    stream.send(Buffer.from('data: {"room":"b"}\n\n'));
    const ids = written.map(text => /^id: (.*)\n/.exec(text)?.[1]);
    expect(ids).toEqual([',,e:1', 'e:5,,e:1', undefined]);
    expect(readStreamPositions('e:5,,e:1', 3)).toEqual([
      { epoch: 'e', offset: 5 },
      undefined,
      { epoch: 'e', offset: 1 },
    ]);
  });

  test('do not move with a room that a service added', () => {
    const { stream, written } = startStream(['a']);
    stream.subscribe('b');
    stream.send(event('b', 9));
    stream.send(event('a', 2));
    expect(written).toEqual(['data: {"room":"b","text":""}\n\n', event('a', 2).toString()]);
  });

  test.for(['', ':1', 'e:', 'e:-1', 'e:1,', 'e:1.5', 'e:99999999999999999', '%zz:1', 'e:1:2'])(
    '%j is not an id',
    id => {
      expect(readStreamPositions(id, 1)?.[0]).toBeUndefined();
    },
  );
});

test('a topic reaches its readers but the excluded one, and none that ended', () => {
  const { stream, parts, written } = startStream(['a']);
  parts.topics.publish('a', event('a', 1));
  parts.topics.publish('a', event('a', 2), stream);
  stream.end(CLOSE_CODES.KICKED, 'bye');
  let others = 0;
  parts.topics.subscribe('a', { send: () => others++ });
  stream.send = () => expect.unreachable('the topic has a reader that ended');
  parts.topics.publish('a', event('a', 3));
  expect(others).toBe(1);
  expect(written.map(text => text.split('\n')[0])).toEqual(['id: e:1', 'retry: 3600000']);
});

test('a heartbeat is written only where nothing else was', () => {
  const { stream, written } = startStream(['a']);
  stream.beat();
  stream.beat();
  stream.send(event('a', 1));
  stream.beat();
  expect(written).toEqual([HEARTBEAT, event('a', 1).toString()]);
});
