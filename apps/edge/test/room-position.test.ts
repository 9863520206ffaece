/** A room is delivered in order and once, or a gap is reported, despite lost, doubled and late messages and new epochs. */
import type { Position } from '@hubbub/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Reading, RoomPosition } from '../src/history/room-position.js';

const WAITING_MAX = 4;
const HISTORY_SIZE = 6;
const PAGE = 3;

type Action = 'publish' | 'lose' | 'arrive' | 'double' | 'ask' | 'answer' | 'forget' | 'restart' | 'rewind' | 'doubt';
const action = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Action>('publish', 'arrive') },
  { weight: 4, arbitrary: fc.constantFrom<Action>('ask', 'answer') },
  { weight: 1, arbitrary: fc.constantFrom<Action>('lose', 'double', 'forget', 'restart', 'rewind', 'doubt') },
);

/** A room with its history, a lossy subscription, and an edge that follows it. */
class Model {
  readonly position = new RoomPosition<Position>(WAITING_MAX);
  /** The deliveries to the room, in order: messages, and the positions after gaps. */
  readonly deliveries: (Position & { kind: 'message' | 'gap' | 'crossing' })[] = [];
  #bridges: Position[] = [];
  #epoch = 0;
  #offset = 0;
  #held: Position[] = [];
  #flying: Position[] = [];
  #last: Position | undefined;
  #reading: Reading<Position> | undefined;

  constructor(readonly reportsLosses: boolean) {}

  run(name: Action): void {
    if (name === 'publish') this.#publish();
    if (name === 'lose') {
      this.#flying.shift();
      if (this.reportsLosses) this.position.doubt(); // The broker reports every break.
    }
    if (name === 'arrive') this.#arrive(this.#flying.shift());
    if (name === 'double') this.#arrive(this.#last);
    if (name === 'ask') this.#ask();
    if (name === 'answer') this.#answer();
    if (name === 'doubt') this.position.doubt();
    if (name === 'restart') this.#restart(0);
    if (name === 'rewind') this.#restart(2);
    if (name === 'forget') {
      this.#epoch++;
      this.#offset = 0;
      this.#held = [];
      this.#bridges = [];
      if (this.reportsLosses) this.position.doubt(); // Redis restarted: that was a break.
    }
  }

  /** Redis has a new term; with older data the last two messages are lost. */
  #restart(lost: number): void {
    let { epoch } = this.head;
    this.#offset = Math.max(0, this.#offset - lost);
    // Bridges are stored with the messages: later ones are lost, too.
    while ((this.#bridges[0]?.offset ?? 0) > this.#offset) epoch = this.#bridges.shift()?.epoch ?? epoch;
    this.#bridges.unshift({ epoch, offset: this.#offset });
    this.#held = this.#held.filter(({ offset }) => offset <= this.#offset);
    this.#epoch++;
    if (this.reportsLosses) this.position.doubt();
  }

  /** Everything arrives and is read: the edge must end up where the history is. */
  settle(): void {
    while (this.#flying.length > 0) this.run('arrive');
    for (let turn = 0; turn < 100 && !this.position.following; turn++) {
      this.run('answer');
      this.run('ask');
      this.run('answer');
    }
  }

  get head(): Position {
    return { epoch: `e${this.#epoch}`, offset: this.#offset };
  }

  #publish(): void {
    this.#offset++;
    const message = this.head;
    this.#held.push(message);
    this.#held = this.#held.slice(-HISTORY_SIZE);
    this.#flying.push(message);
  }

  #arrive(message: Position | undefined): void {
    if (message === undefined) return;
    this.#last = message;
    if (this.position.take(message) === 'deliver') this.deliveries.push({ ...message, kind: 'message' });
  }

  #ask(): void {
    if (this.#reading !== undefined || this.position.following) return;
    const known = this.position.position;
    this.position.beginRead();
    const { epoch } = this.head;
    const held = this.#held.map(({ offset }) => ({ epoch, offset }));
    const messages = known === undefined ? [] : held.filter(({ offset }) => offset > known.offset).slice(0, PAGE);
    // The last page reaches the end; another one ends with its last message.
    const through = messages.length < PAGE ? this.#offset : (messages.at(-1)?.offset ?? this.#offset);
    this.#reading = { ...this.head, through, messages, bridges: [...this.#bridges] };
  }

  #answer(): void {
    if (this.#reading === undefined) return;
    const begun = this.position.position === undefined;
    const { bridges } = this.#reading;
    for (const { gap, crossing, message } of this.position.learn(this.#reading)) {
      if (message !== undefined) this.deliveries.push({ ...message, kind: 'message' });
      if (gap?.position !== undefined) this.deliveries.push({ ...gap.position, kind: 'gap' });
      if (crossing === undefined) continue;
      const bridge = bridges.find(({ epoch }) => epoch === crossing.previousEpoch);
      expect(bridge?.offset, 'an edge that had more than is left crossed in silence').toBeGreaterThanOrEqual(
        this.deliveries.at(-1)?.offset ?? 0,
      );
      this.deliveries.push({ ...crossing.position, kind: 'crossing' });
    }
    if (begun && this.position.position !== undefined) {
      this.deliveries.unshift({ epoch: this.#reading.epoch, offset: this.#reading.offset, kind: 'gap' });
    }
    this.#reading = undefined;
  }
}

function expectInvariants(actions: readonly Action[], { reportsLosses } = { reportsLosses: true }): void {
  const model = new Model(reportsLosses);
  for (const name of actions) model.run(name);
  model.settle();
  let at: Position | undefined;
  for (const { epoch, offset, kind } of model.deliveries) {
    if (kind === 'crossing') expect(offset).toBe(at?.offset);
    else if (kind === 'gap') expect(at === undefined || epoch !== at.epoch || offset > at.offset).toBe(true);
    else expect({ epoch, offset }).toEqual({ epoch: at?.epoch, offset: (at?.offset ?? 0) + 1 });
    at = { epoch, offset };
  }
  expect(model.position.following).toBe(true);
  expect(at).toEqual(model.head);
}

describe('a room position', () => {
  test('delivers every message once and in order, or reports the gap, whatever is lost, doubled, late, forgotten or older', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), actions => expectInvariants(actions)),
      { numRuns: 3000 },
    );
  });

  test('negative control: without reports of losses, a lost last message stays unnoticed', () => {
    const unguarded = fc.property(fc.array(action, { maxLength: 120 }), actions =>
      expectInvariants(actions, { reportsLosses: false }),
    );
    expect(fc.check(unguarded, { numRuns: 3000 }).failed).toBe(true);
  });

  test('bounds the waiting messages, and reads the dropped ones again', () => {
    const position = new RoomPosition<Position>(WAITING_MAX);
    position.beginRead();
    position.learn({ epoch: 'e', offset: 0, through: 0, messages: [], bridges: [] });
    const message = (offset: number): Position => ({ epoch: 'e', offset });
    expect(position.take(message(2))).toBe('wait');
    position.beginRead();
    for (let offset = 3; offset < 20; offset++) expect(position.take(message(offset))).toBe('wait');
    position.learn({ epoch: 'e', offset: 2, through: 2, messages: [message(1), message(2)], bridges: [] });
    expect(position.following).toBe(false);
    position.beginRead();
    const rest = Array.from({ length: 17 }, (_, index) => message(index + 3));
    position.learn({ epoch: 'e', offset: 19, through: 19, messages: rest, bridges: [] });
    expect(position.following).toBe(true);
    expect(position.position).toEqual(message(19));
  });

  test('waits once for a message that the history lacks: it was published past the history', () => {
    const position = new RoomPosition<Position>(WAITING_MAX);
    position.beginRead();
    position.learn({ epoch: 'e', offset: 5, through: 5, messages: [], bridges: [] });
    expect(position.take({ epoch: 'e', offset: 1000 })).toBe('wait');
    position.beginRead();
    expect(position.learn({ epoch: 'e', offset: 5, through: 5, messages: [], bridges: [] })).toEqual([]);
    expect(position.following).toBe(true);
    expect(position.take({ epoch: 'e', offset: 6 })).toBe('deliver');
  });

  test('reads the messages that a new epoch already holds instead of waiting', () => {
    const position = new RoomPosition<Position>(WAITING_MAX);
    position.beginRead();
    position.learn({ epoch: 'e1', offset: 5, through: 5, messages: [], bridges: [] });
    position.doubt();
    position.beginRead();
    const notice = position.learn({ epoch: 'e2', offset: 3, through: 3, messages: [], bridges: [] });
    expect(notice).toEqual([{ gap: { reason: 'new_epoch', position: { epoch: 'e2', offset: 0 } } }]);
    expect(position.following).toBe(false);
  });

  describe('when the room continues in another epoch behind a bridge', () => {
    const bridges = [{ epoch: 'e1', offset: 5 }];
    const reading = (offset: number, messages: readonly number[]): Reading<Position> => ({
      ...{ epoch: 'e2', offset, through: offset, bridges },
      messages: messages.map(at => ({ epoch: 'e2', offset: at })),
    });
    const startAt = (offset: number): RoomPosition<Position> => {
      const position = new RoomPosition<Position>(WAITING_MAX);
      position.beginRead();
      position.learn({ epoch: 'e1', offset, through: offset, messages: [], bridges: [] });
      return position;
    };
    const read = (position: RoomPosition<Position>, found: Reading<Position>) => {
      position.doubt();
      position.beginRead();
      return position.learn(found);
    };
    const in2 = (offset: number): Position => ({ epoch: 'e2', offset });

    test.each([3, 5])('crosses it at %i, and delivers what follows', offset => {
      const position = startAt(offset);
      position.acknowledge({ epoch: 'e1', offset: 5 });
      expect(position.take(in2(6))).toBe('wait');
      const behind = [4, 5, 6].filter(at => at > offset);
      const steps = read(position, reading(6, behind));
      expect(steps[0]).toEqual({ crossing: { previousEpoch: 'e1', position: in2(offset) } });
      expect(steps.slice(1)).toEqual(behind.map(at => ({ message: in2(at) })));
      expect(position.following).toBe(true);
    });

    test('reports a gap where it had more, and delivers what took the place of the lost messages', () => {
      const position = startAt(7);
      const gap = { gap: { reason: 'new_epoch', position: in2(5) } };
      expect(read(position, reading(8, [8]))).toEqual([gap]);
      expect(read(position, reading(8, [6, 7, 8]))).toEqual([6, 7, 8].map(at => ({ message: in2(at) })));
    });

    test('reports a gap where a sender here had an acknowledgment for a lost message, although it was not delivered', () => {
      const position = startAt(4);
      position.acknowledge({ epoch: 'e1', offset: 6 });
      position.acknowledge({ epoch: 'e1', offset: 5 });
      const gap = { gap: { reason: 'new_epoch', position: in2(4) } };
      expect(read(position, reading(5, [5]))).toEqual([gap, { message: in2(5) }]);
    });

    test('refuses the ack of a message that a former primary appended behind the bridge', () => {
      const position = startAt(4);
      expect(position.acknowledge({ epoch: 'e1', offset: 6 })).toBe(true);
      read(position, reading(6, [6]));
      expect(position.acknowledge({ epoch: 'e1', offset: 5 })).toBe(true);
      expect(position.acknowledge({ epoch: 'e1', offset: 6 })).toBe(false);
      expect(position.acknowledge({ epoch: 'e2', offset: 7 })).toBe(true);
    });

    test('without a bridge from its own epoch begins with what this epoch has added', () => {
      const position = startAt(7);
      position.doubt();
      position.beginRead();
      const steps = position.learn({ ...reading(6, []), epoch: 'e3', bridges: [{ epoch: 'e0', offset: 3 }] });
      expect(steps).toEqual([{ gap: { reason: 'new_epoch', position: { epoch: 'e3', offset: 3 } } }]);
      expect(position.following).toBe(false);
    });

    test('knows positions of both epochs', () => {
      const position = startAt(5);
      read(position, reading(6, [6]));
      const locate = (epoch: string, offset: number) => position.locate({ epoch, offset });
      expect([locate('e2', 9), locate('e1', 5), locate('e1', 6), locate('e0', 1)]).toEqual([
        in2(9),
        in2(5),
        undefined,
        undefined,
      ]);
    });
  });

  test('passes a hole in the middle of a page and at its end, each with a gap', () => {
    const position = new RoomPosition<Position>(WAITING_MAX);
    const message = (offset: number): Position => ({ epoch: 'e', offset });
    position.beginRead();
    position.learn({ epoch: 'e', offset: 0, through: 0, messages: [], bridges: [] });
    position.doubt();
    position.beginRead();
    const steps = position.learn({
      epoch: 'e',
      offset: 5,
      through: 5,
      messages: [message(1), message(3)],
      bridges: [],
    });
    const gap = (offset: number) => ({ gap: { reason: 'too_old', position: message(offset) } });
    expect(steps).toEqual([{ message: message(1) }, gap(2), { message: message(3) }, gap(5)]);
    expect(position.following).toBe(true);
  });
});
