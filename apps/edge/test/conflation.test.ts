/** Slow readers of conflating rooms, on sockets with buffers that the test fills and empties. */
import { type Encoding, jsonCodec } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Rights } from '../src/admission/rights.js';
import { Conflation, WAITING_FRAMES_MAX } from '../src/conflation/conflation.js';
import { Audience } from '../src/rooms/audience.js';
import { Session } from '../src/sessions/session.js';

const ABOVE_BYTES = 1000;
const MAX_BUFFERED_BYTES = 100_000;
const TICK_MS = 50;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function start() {
  const subscribers = new Map<string, Set<Reader>>();
  const counts = { replaced: 0, steppedOff: 0 };
  const overflowed: string[] = [];
  const conflation = new Conflation({
    aboveBytes: ABOVE_BYTES,
    maxBufferedBytes: MAX_BUFFERED_BYTES,
    metrics: { replaced: () => counts.replaced++, steppedOff: () => counts.steppedOff++ },
    onOverflow: ({ id }) => overflowed.push(id),
  });

  /** A session that records the frames it received as `type key=value`. */
  class Reader {
    readonly got: string[] = [];
    readonly rooms = new Set<Audience>();
    bufferedBytes = 0;
    closedWith: number | undefined;
    readonly session: Session;

    constructor(id: string, encoding: Encoding = 'json') {
      const take = (bytes: Uint8Array): number => {
        const frame = (encoding === 'json' ? jsonCodec : msgpackCodec).decode(bytes) as { type: string };
        this.got.push(frame.type);
        return 1;
      };
      const socket = {
        send: (bytes: string | Uint8Array) => take(bytes as Uint8Array),
        subscribe: (topic: string) => {
          if (!subscribers.has(topic)) subscribers.set(topic, new Set());
          subscribers.get(topic)?.add(this);
          return true;
        },
        unsubscribe: (topic: string) => subscribers.get(topic)?.delete(this) ?? false,
        publish: (topic: string, bytes: Uint8Array) => {
          if (!subscribers.get(topic)?.has(this)) return false;
          publish(topic, bytes, this);
          return true;
        },
        // Like the engine, reports the close before `end` returns.
        end: (code: number) => {
          this.closedWith = code;
          this.leave();
        },
        close: () => this.leave(),
        getBufferedAmount: () => this.bufferedBytes,
        cork: (send: () => void) => send(),
      };
      this.session = new Session(id, socket, {
        user: { id, name: id },
        encoding,
        rights: {} as Rights,
      });
      this.take = take;
    }

    readonly take: (bytes: Uint8Array) => number;

    join(audience: Audience): this {
      audience.add(this.session);
      this.rooms.add(audience);
      return this;
    }

    leave(): void {
      for (const audience of this.rooms) audience.remove(this.session);
      this.rooms.clear();
    }
  }

  function publish(topic: string, bytes: Uint8Array, but?: Reader): void {
    for (const reader of subscribers.get(topic) ?? []) if (reader !== but) reader.take(bytes);
  }

  const tell = (audience: Audience, type: string, key?: string, ...except: Reader[]) => {
    const body = jsonCodec.encode({ type });
    return audience.deliver(
      { encoding: 'json', body, except: except.map(({ session }) => session), key },
      (topic, bytes, isBinary, except) =>
        except === undefined ? publish(topic, bytes) : void except.publish(topic, bytes, isBinary),
    ).delivered;
  };
  const room = (name = 'ticks:1') => new Audience(name, name, conflation);
  /** A reader that is behind and therefore off the topic. */
  const behind = (audience: Audience, reader: Reader): Reader => {
    reader.bufferedBytes = ABOVE_BYTES + 1;
    tell(audience, 'filler');
    vi.advanceTimersByTime(TICK_MS);
    reader.got.length = 0;
    return reader;
  };
  const reads = (reader: Reader): void => {
    reader.bufferedBytes = 0;
    vi.advanceTimersByTime(TICK_MS);
  };
  return { conflation, counts, overflowed, Reader, tell, room, behind, reads };
}

describe('a session that is behind', () => {
  test('gets the newest of each key in the order of update when it has read, then everything again', () => {
    const { Reader, room, tell, behind, reads, counts, conflation } = start();
    const ticks = room();
    const fast = new Reader('fast').join(ticks);
    const slow = behind(ticks, new Reader('slow').join(ticks));
    fast.got.length = 0;
    for (const [type, key] of [
      ['a1', 'a'],
      ['b1', 'b'],
      ['c1', 'c'],
      ['a2', 'a'],
      ['c2', 'c'],
      ['a3', 'a'],
    ] as const) {
      expect(tell(ticks, type, key)).toBe(2);
    }
    vi.advanceTimersByTime(TICK_MS);
    expect(slow.got).toEqual([]);
    expect(conflation.size).toBe(1);
    reads(slow);
    tell(ticks, 'a4', 'a');
    tell(ticks, 'a5', 'a');
    expect(slow.got).toEqual(['b1', 'c2', 'a3', 'a4', 'a5']);
    expect(fast.got).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4', 'a5']);
    expect(counts).toEqual({ replaced: 3, steppedOff: 1 });
    expect(conflation.size).toBe(0);
  });

  test('loses no message without a key, and none between two keys of different rooms', () => {
    const { Reader, room, tell, behind, reads } = start();
    const [one, two] = [room('ticks:1'), room('ticks:2')];
    const slow = behind(two, behind(one, new Reader('slow').join(one).join(two)));
    for (const ticks of [one, two]) tell(ticks, 'value', 'a');
    for (const type of ['x', 'y', 'x']) tell(one, type);
    reads(slow);
    expect(slow.got).toEqual(['value', 'value', 'x', 'y', 'x']);
  });

  test('gets its own encoding', () => {
    const { Reader, room, tell, behind, reads } = start();
    const ticks = room();
    const json = new Reader('json').join(ticks);
    const slow = behind(ticks, new Reader('slow', 'msgpack').join(ticks));
    for (const type of ['a1', 'a2']) tell(ticks, type, 'a');
    reads(slow);
    expect(slow.got).toEqual(['a2']);
    expect(json.got).toEqual(['filler', 'a1', 'a2']);
  });

  test('when a service excludes sessions of its user, each session gets the same messages as without a backlog', () => {
    const { Reader, room, tell, behind, reads } = start();
    const ticks = room();
    const [first, second, other] = ['first', 'second', 'other'].map(id => new Reader(id).join(ticks));
    if (first === undefined || second === undefined || other === undefined) throw new Error('nobody is here');
    const slow = behind(ticks, new Reader('slow').join(ticks));
    for (const reader of [first, second, other]) reader.got.length = 0;
    const user = [first, slow, second];
    expect(tell(ticks, 'theirs', undefined, ...user)).toBe(1);
    expect(tell(ticks, 'all', undefined)).toBe(4);
    reads(slow);
    tell(ticks, 'later', undefined, ...user);
    tell(ticks, 'last');
    for (const reader of user) expect(reader.got, reader.session.id).toEqual(['all', 'last']);
    expect(other.got).toEqual(['theirs', 'all', 'later', 'last']);
  });

  test('does not get its own message, nor later an older one with the same key', () => {
    const { Reader, room, tell, behind, reads } = start();
    const ticks = room();
    const fast = new Reader('fast').join(ticks);
    const slow = behind(ticks, new Reader('slow').join(ticks));
    tell(ticks, 'a1', 'a');
    tell(ticks, 'b1', 'b');
    tell(ticks, 'a2', 'a', slow);
    tell(ticks, 'plain', undefined, slow);
    tell(ticks, 'b2', 'b', fast);
    reads(slow);
    expect(slow.got).toEqual(['b2']);
    expect(fast.got).toEqual(['filler', 'a1', 'b1', 'a2', 'plain']);
  });

  test('waits until most of its buffer is read', () => {
    const { Reader, room, tell, behind, conflation } = start();
    const ticks = room();
    const slow = behind(ticks, new Reader('slow').join(ticks));
    tell(ticks, 'a1', 'a');
    slow.bufferedBytes = ABOVE_BYTES / 2;
    vi.advanceTimersByTime(10 * TICK_MS);
    expect(slow.got).toEqual([]);
    slow.bufferedBytes = ABOVE_BYTES / 4;
    vi.advanceTimersByTime(TICK_MS);
    expect(slow.got).toEqual(['a1']);
    expect(conflation.size).toBe(0);
  });

  test('is detected before the timer in a stream that would fill its buffer', () => {
    const { Reader, room, tell, conflation } = start();
    const ticks = room();
    const slow = new Reader('slow').join(ticks);
    slow.bufferedBytes = ABOVE_BYTES + 1;
    for (let i = 0; i < 100; i++) tell(ticks, 'tick', 'a');
    expect(conflation.size).toBe(1);
    expect(slow.got.length).toBeLessThan(30);
  });

  test('gets its backlog before a control', () => {
    const { Reader, room, tell, behind, conflation } = start();
    const ticks = room();
    const slow = behind(ticks, new Reader('slow').join(ticks));
    tell(ticks, 'a1', 'a');
    conflation.settle(slow.session);
    conflation.settle(slow.session);
    expect(slow.got).toEqual(['a1']);
  });
});

describe('the backlog is bounded', () => {
  test('a session with more keys than may wait is closed with 4000; the others continue', () => {
    const { Reader, room, tell, behind, overflowed, conflation } = start();
    const ticks = room();
    const other = new Reader('other').join(ticks);
    const slow = new Reader('slow').join(ticks);
    slow.bufferedBytes = ABOVE_BYTES + 1;
    const alsoSlow = behind(ticks, new Reader('also').join(ticks));
    for (let i = 0; i < WAITING_FRAMES_MAX; i++) tell(ticks, 'tick', `k${i}`);
    expect(slow.closedWith).toBeUndefined();
    tell(ticks, 'tick', 'k0');
    expect(slow.closedWith).toBeUndefined();
    tell(ticks, 'tick', 'one-too-many');
    expect([slow.closedWith, alsoSlow.closedWith]).toEqual([4000, 4000]);
    expect(overflowed).toEqual(['slow', 'also']);
    expect(conflation.size).toBe(0);
    expect(tell(ticks, 'tick')).toBe(1);
    expect(other.closedWith).toBeUndefined();
  });

  test('a session with more bytes than may wait, including its buffer, is closed too', () => {
    const { Reader, room, tell, behind } = start();
    const ticks = room();
    const slow = behind(ticks, new Reader('slow').join(ticks));
    tell(ticks, 'tick');
    expect(slow.closedWith).toBeUndefined();
    slow.bufferedBytes = MAX_BUFFERED_BYTES;
    tell(ticks, 'tick');
    expect(slow.closedWith).toBe(4000);
  });
});

describe('cleanup', () => {
  test('after a leave the backlog of that room is dropped, and that of other rooms stays', () => {
    const { Reader, room, tell, behind, reads, conflation } = start();
    const [one, two] = [room('ticks:1'), room('ticks:2')];
    const slow = behind(two, behind(one, new Reader('slow').join(one).join(two)));
    tell(one, 'one', 'a');
    tell(two, 'two', 'a');
    one.remove(slow.session);
    expect(conflation.size).toBe(1);
    expect(tell(one, 'late', 'a')).toBe(0);
    reads(slow);
    expect(slow.got).toEqual(['two']);
  });

  test('a closed session and a room without traffic hold no backlog and no timer', () => {
    const { Reader, room, tell, behind, conflation } = start();
    const ticks = room();
    const slow = behind(ticks, new Reader('slow').join(ticks));
    tell(ticks, 'a1', 'a');
    slow.session.state = 'closed';
    slow.leave();
    expect(conflation.size).toBe(0);
    vi.advanceTimersByTime(2 * TICK_MS);
    expect(vi.getTimerCount()).toBe(0);
    expect(slow.got).toEqual([]);
  });
});
