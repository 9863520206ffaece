/** Native topics of several apps: a message reaches each subscriber once, whatever its certificate. */
import { beforeEach, expect, test } from 'vitest';
import type { TemplatedApp } from '../src/listener/engine.js';
import { Topics } from '../src/listener/topics.js';
import type { Socket } from '../src/sessions/session.js';

const BYTES = Buffer.from('{}');
let reached: string[];
beforeEach(() => {
  reached = [];
});

const appOf = (name: string) => ({ publish: () => reached.push(name) }) as unknown as TemplatedApp;
const socketOf = (name: string) => ({ publish: () => reached.push(`beside ${name}`) }) as unknown as Socket;

test('a message reaches the subscribers of every app', () => {
  const topics = new Topics();
  for (const name of ['old', 'new']) topics.add(appOf(name));
  topics.publish('room', BYTES, false);
  expect(reached).toEqual(['old', 'new']);
});

test('the only app excludes one subscriber', () => {
  const topics = new Topics();
  topics.add(appOf('only'));
  topics.publish('room', BYTES, false, socketOf('ada'));
  expect(reached).toEqual(['beside ada']);
});

test('an app excludes its own subscriber, and the others publish to theirs', () => {
  const topics = new Topics();
  const [older, newer] = [appOf('old'), appOf('new')];
  for (const app of [older, newer]) topics.add(app);
  const ada = socketOf('ada');
  topics.assign(ada, newer);
  topics.publish('room', BYTES, false, ada);
  expect(reached).toEqual(['beside ada', 'old']);
  topics.delete(older);
  topics.publish('room', BYTES, false, ada);
  expect(reached).toEqual(['beside ada', 'old', 'beside ada']);
});
