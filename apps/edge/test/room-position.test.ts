/** A room is delivered in order and once, or a gap is reported, despite lost, doubled and late messages and new epochs. */
import type { Position } from '@hubbub/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Reading, RoomPosition } from '../src/history/room-position.js';

const WAITING_MAX = 4;
const HISTORY_SIZE = 6;
const PAGE = 3;

type Action = 'publish' | 'lose' | 'arrive' | 'double' | 'ask' | 'answer' | 'forget' | 'doubt';
const action = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Action>('publish', 'arrive') },
  { weight: 4, arbitrary: fc.constantFrom<Action>('ask', 'answer') },
  { weight: 1, arbitrary: fc.constantFrom<Action>('lose', 'double', 'forget', 'doubt') },
);

/** A room with its history, a lossy subscription, and an edge that follows it. */
class Model {
  readonly position = new RoomPosition<Position>(WAITING_MAX);
  /** The deliveries to the room, in order: messages, and the positions after gaps. */
  readonly deliveries: (Position & { gap: boolean })[] = [];
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
    if (name === 'forget') {
      this.#epoch++;
      this.#offset = 0;
      this.#held = [];
      if (this.reportsLosses) this.position.doubt(); // Redis restarted: that was a break.
    }
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
    if (this.position.take(message) === 'deliver') this.deliveries.push({ ...message, gap: false });
  }

  #ask(): void {
    if (this.#reading !== undefined || this.position.following) return;
    const known = this.position.position;
    this.position.beginRead();
    const messages = known === undefined ? [] : this.#held.filter(({ offset }) => offset > known.offset).slice(0, PAGE);
    // The last page reaches the end; another one ends with its last message.
    const through = messages.length < PAGE ? this.#offset : (messages.at(-1)?.offset ?? this.#offset);
    this.#reading = { ...this.head, through, messages };
  }

  #answer(): void {
    if (this.#reading === undefined) return;
    const begun = this.position.position === undefined;
    for (const { gap, message } of this.position.learn(this.#reading)) {
      if (message !== undefined) this.deliveries.push({ ...message, gap: false });
      else if (gap.position !== undefined) this.deliveries.push({ ...gap.position, gap: true });
    }
    if (begun && this.position.position !== undefined) {
      this.deliveries.unshift({ epoch: this.#reading.epoch, offset: this.#reading.offset, gap: true });
    }
    this.#reading = undefined;
  }
}

function expectInvariants(actions: readonly Action[], { reportsLosses } = { reportsLosses: true }): void {
  const model = new Model(reportsLosses);
  for (const name of actions) model.run(name);
  model.settle();
  let at: Position | undefined;
  for (const { epoch, offset, gap } of model.deliveries) {
    if (gap) expect(at === undefined || epoch !== at.epoch || offset > at.offset).toBe(true);
    else expect({ epoch, offset }).toEqual({ epoch: at?.epoch, offset: (at?.offset ?? 0) + 1 });
    at = { epoch, offset };
  }
  expect(model.position.following).toBe(true);
  expect(at).toEqual(model.head);
}

describe('a room position', () => {
  test('delivers every message once and in order, or reports the gap, whatever is lost, doubled, late or forgotten', () => {
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
    position.learn({ epoch: 'e', offset: 0, through: 0, messages: [] });
    const message = (offset: number): Position => ({ epoch: 'e', offset });
    expect(position.take(message(2))).toBe('wait');
    position.beginRead();
    for (let offset = 3; offset < 20; offset++) expect(position.take(message(offset))).toBe('wait');
    position.learn({ epoch: 'e', offset: 2, through: 2, messages: [message(1), message(2)] });
    expect(position.following).toBe(false);
    position.beginRead();
    const rest = Array.from({ length: 17 }, (_, index) => message(index + 3));
    position.learn({ epoch: 'e', offset: 19, through: 19, messages: rest });
    expect(position.following).toBe(true);
    expect(position.position).toEqual(message(19));
  });

  test('waits once for a message that the history lacks: it was published past the history', () => {
    const position = new RoomPosition<Position>(WAITING_MAX);
    position.beginRead();
    position.learn({ epoch: 'e', offset: 5, through: 5, messages: [] });
    expect(position.take({ epoch: 'e', offset: 1000 })).toBe('wait');
    position.beginRead();
    expect(position.learn({ epoch: 'e', offset: 5, through: 5, messages: [] })).toEqual([]);
    expect(position.following).toBe(true);
    expect(position.take({ epoch: 'e', offset: 6 })).toBe('deliver');
  });

  test('reads the messages that a new epoch already holds instead of waiting', () => {
    const position = new RoomPosition<Position>(WAITING_MAX);
    position.beginRead();
    position.learn({ epoch: 'e1', offset: 5, through: 5, messages: [] });
    position.doubt();
    position.beginRead();
    const notice = position.learn({ epoch: 'e2', offset: 3, through: 3, messages: [] });
    expect(notice).toEqual([{ gap: { reason: 'new_epoch', position: { epoch: 'e2', offset: 0 } } }]);
    expect(position.following).toBe(false);
  });

  test('passes a hole in the middle of a page and at its end, each with a gap', () => {
    const position = new RoomPosition<Position>(WAITING_MAX);
    const message = (offset: number): Position => ({ epoch: 'e', offset });
    position.beginRead();
    position.learn({ epoch: 'e', offset: 0, through: 0, messages: [] });
    position.doubt();
    position.beginRead();
    const steps = position.learn({ epoch: 'e', offset: 5, through: 5, messages: [message(1), message(3)] });
    const gap = (offset: number) => ({ gap: { reason: 'too_old', position: message(offset) } });
    expect(steps).toEqual([{ message: message(1) }, gap(2), { message: message(3) }, gap(5)]);
    expect(position.following).toBe(true);
  });
});
