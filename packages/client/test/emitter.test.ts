/** Every listener gets every event, whatever another listener does. */
import { afterEach, expect, it, vi } from 'vitest';
import { Emitter } from '../src/emitter.js';

afterEach(() => vi.unstubAllGlobals());

it('reaches the listeners after one that throws, and reports the error', () => {
  const reportError = vi.fn();
  vi.stubGlobal('reportError', reportError);
  const emitter = new Emitter();
  const error = new Error('bug');
  const heard: number[] = [];
  emitter.on('tick', () => {
    throw error;
  });
  emitter.on('tick', (value: number) => heard.push(value));
  emitter.emit('tick', 1);
  expect(heard).toEqual([1]);
  expect(reportError).toHaveBeenCalledWith(error);
});

it('lets a listener remove itself and others while an event is emitted', () => {
  const emitter = new Emitter();
  const heard: string[] = [];
  const off = emitter.on('tick', () => {
    heard.push('once');
    off();
    off();
  });
  emitter.on('tick', () => heard.push('always'));
  emitter.emit('tick', 1);
  emitter.emit('tick', 2);
  expect(heard).toEqual(['once', 'always', 'always']);
});

it('calls a function twice when it was added twice, and removes one at a time', () => {
  const emitter = new Emitter();
  const listener = vi.fn();
  const off = emitter.on('any.name', listener);
  emitter.on('any.name', listener);
  emitter.emit('any.name', 1);
  off();
  emitter.emit('any.name', 2);
  expect(listener.mock.calls).toEqual([[1], [1], [2]]);
});

it('a listener that is stopped twice does not stop later ones of its name', () => {
  const emptied = vi.fn();
  const emitter = new Emitter(emptied);
  const stop = emitter.on('tick', () => {});
  stop();
  const listener = vi.fn();
  emitter.on('tick', listener);
  stop();
  emitter.emit('tick', 1);
  expect([listener.mock.calls, emptied.mock.calls.length, emitter.isEmpty]).toEqual([[[1]], 1, false]);
});
