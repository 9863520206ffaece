/** Watched users: one subscription and one question each, and no notice from an answer that is out of date. */
import { Channels, HubbubError, jsonCodec } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { beforeEach, expect, test } from 'vitest';
import { RosterQuestions } from '../src/presence/roster-questions.js';
import { type WatchedRoom, Watchlists } from '../src/pusher/watchlists.js';
import { Session, type Socket } from '../src/sessions/session.js';

const channels = new Channels('test');
const ANN: WatchedRoom = { userId: 'ann', room: 'pusher-1.online:ann' };
const BOB: WatchedRoom = { userId: 'bob', room: 'pusher-1.online:bob' };

let questions: RosterQuestions;
let watchlists: Watchlists;
let asked: Array<{ room: string; question: number }>;
/** The id under which the watchlists ask. */
let asker = '';
let held: Map<string, number>;
/** By topic: what sessions got. */
let topics: Map<string, Set<string[]>>;
let takesQuestions: boolean;
let subscribes: () => Promise<void>;

beforeEach(() => {
  asked = [];
  held = new Map();
  topics = new Map();
  takesQuestions = true;
  subscribes = async () => {};
  questions = new RosterQuestions({ onUnanswered() {} });
  watchlists = new Watchlists({
    channels,
    questions,
    interest: {
      async acquire(channel: string) {
        await subscribes();
        held.set(channel, (held.get(channel) ?? 0) + 1);
      },
      release: (channel: string) => void held.set(channel, (held.get(channel) ?? 0) - 1),
    },
    presence: {
      askRoster({ id }: { id: string }, room: string, question: number) {
        asker = id;
        if (takesQuestions) asked.push({ room, question });
        return takesQuestions;
      },
    },
    publish(topic, bytes) {
      for (const received of topics.get(topic) ?? []) received.push(...eventsIn(new TextDecoder().decode(bytes)));
    },
  });
  return () => {
    watchlists.close();
    questions.close();
  };
});

function eventsIn(text: string): string[] {
  const { events } = JSON.parse(JSON.parse(text).data) as { events: Array<{ name: string; user_ids: string[] }> };
  return events.flatMap(({ name, user_ids: ids }) => ids.map(id => `${name} ${id}`));
}

function watcher(id: string) {
  const received: string[] = [];
  const socket = {
    send: (text: string) => void received.push(...eventsIn(text)),
    subscribe: (topic: string) => void topics.set(topic, (topics.get(topic) ?? new Set()).add(received)),
    unsubscribe: (topic: string) => void topics.get(topic)?.delete(received),
  } as unknown as Socket;
  const session = new Session(id, socket, {
    user: { id, name: id },
    address: undefined,
    rights: { allows: () => false },
    encoding: 'pusher',
  });
  return { session, received };
}

/** Answers a question as presence does. */
function answer({ room, question }: { room: string; question: number }, version: number, users: string[]): void {
  const taken = questions.take(question, asker);
  const body = jsonCodec.encode({ type: 'online_users', payload: { room_id: room, version, users: users.map(named) } });
  taken?.session.answered?.(taken, { body });
}

function announce(type: string, { room }: WatchedRoom, version: number, user: string): void {
  const body = jsonCodec.encode({ type, payload: { user: named(user), version, count: 1 } });
  watchlists.arrived(channels.room(room), { encoding: 'json', body });
}

function named(id: string) {
  return { id, name: id };
}

function question(index: number) {
  const one = asked[index];
  if (one === undefined) throw new Error(`There is no question ${index}.`);
  return one;
}

test('asks once for a user whom several sessions watch, and releases it with the last of them', async () => {
  const [one, two] = [watcher('one'), watcher('two')];
  expect(watchlists.watch(one.session, [ANN])).toBe(1);
  expect(watchlists.watch(two.session, [ANN])).toBe(0);
  await eventually(() => asked.length === 1);
  answer(question(0), 7, ['ann']);
  announce('user_left', ANN, 8, 'ann');
  expect([one.received, two.received]).toEqual([
    ['online ann', 'offline ann'],
    ['online ann', 'offline ann'],
  ]);
  watchlists.release(one.session);
  expect([...held.values()]).toEqual([1]);
  watchlists.release(two.session);
  expect([[...held.values()], watchlists.size, asked.length]).toEqual([[0], 0, 1]);
});

test('an answer that a change has overtaken changes nothing', async () => {
  const { session, received } = watcher('one');
  watchlists.watch(session, [ANN]);
  await eventually(() => asked.length === 1);
  announce('user_joined', ANN, 9, 'ann');
  answer(question(0), 0, []);
  announce('user_left', ANN, 8, 'ann');
  expect(received).toEqual(['online ann']);
});

test('the answer to a question of an earlier watch is ignored', async () => {
  const { session, received } = watcher('one');
  watchlists.watch(session, [ANN]);
  await eventually(() => asked.length === 1);
  watchlists.release(session);
  watchlists.watch(session, [ANN]);
  await eventually(() => asked.length === 2);
  answer(question(0), 7, ['ann']); // She left before the second watch, which did not hear of it.
  answer(question(1), 0, []);
  expect(received).toEqual(['offline ann']);
});

test('after a break of its subscription a user is asked for again, and only a difference is sent', async () => {
  const { session, received } = watcher('one');
  watchlists.watch(session, [ANN, BOB]);
  await eventually(() => asked.length === 2);
  answer(question(0), 7, ['ann']);
  answer(question(1), 7, ['bob']);
  watchlists.recheck([channels.room(ANN.room), channels.room(BOB.room), channels.room('other')]);
  expect(asked.length).toBe(4);
  answer(question(2), 0, []);
  answer(question(3), 7, ['bob']);
  expect(received).toEqual(['online ann', 'online bob', 'offline ann']);
});

test('a question that presence did not take is asked again', async () => {
  takesQuestions = false;
  const { session, received } = watcher('one');
  watchlists.watch(session, [ANN]);
  await eventually(() => held.size === 1);
  expect(asked).toEqual([]);
  takesQuestions = true;
  await eventually(() => asked.length === 1);
  answer(question(0), 7, ['ann']);
  expect(received).toEqual(['online ann']);
});

test('a channel that could not be subscribed is subscribed again, and nothing is held for a watcher that left', async () => {
  subscribes = async () => {
    throw new HubbubError('UNAVAILABLE', 'The broker does not answer.');
  };
  const { session } = watcher('one');
  watchlists.watch(session, [ANN]);
  await new Promise(setImmediate);
  subscribes = async () => {};
  await eventually(() => asked.length === 1);
  watchlists.release(session);
  watchlists.watch(session, [BOB]);
  watchlists.release(session);
  await new Promise(setImmediate);
  expect([...held.values()].every(count => count === 0)).toBe(true);
});

test('a new list replaces the former one, and a user on both stays known', async () => {
  const [{ session, received }, other] = [watcher('one'), watcher('two')];
  watchlists.watch(session, [ANN]);
  await eventually(() => asked.length === 1);
  answer(question(0), 7, ['ann']);
  watchlists.watch(session, [ANN, BOB]);
  watchlists.watch(other.session, [ANN]);
  await eventually(() => asked.length === 2);
  answer(question(1), 0, []);
  watchlists.watch(session, [BOB]);
  announce('user_left', ANN, 8, 'ann');
  expect(received).toEqual(['online ann', 'online ann', 'offline bob', 'offline bob']);
  expect(other.received).toEqual(['online ann', 'offline ann']);
  expect(asked.length).toBe(2);
});

test('another member of the room, a malformed frame and another encoding change nothing', async () => {
  const { session, received } = watcher('one');
  watchlists.watch(session, [ANN]);
  await eventually(() => asked.length === 1);
  answer(question(0), 7, ['eve']);
  announce('user_joined', ANN, 8, 'eve');
  announce('room_count', ANN, 9, 'ann');
  const channel = channels.room(ANN.room);
  for (const body of [new Uint8Array([1, 2]), Buffer.from('[]'), jsonCodec.encode({ type: 'user_joined' })]) {
    watchlists.arrived(channel, { encoding: 'json', body });
    watchlists.arrived(channel, { encoding: 'msgpack', body });
  }
  watchlists.arrived(channel, {
    encoding: 'json',
    body: jsonCodec.encode({ type: 'room_info', payload: { version: 10, users: [named('eve'), named('ann')] } }),
  });
  expect(received).toEqual(['offline ann', 'online ann']);
});
