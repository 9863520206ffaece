/** The transition table: total, and equal to the one in README.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  CONNECTION_EVENTS,
  CONNECTION_STATES,
  hasSocket,
  inSession,
  nextState,
  TRANSITIONS,
  takesFrames,
} from '../src/connection-states.js';

const pairs = CONNECTION_STATES.flatMap(state => CONNECTION_EVENTS.map(event => [state, event] as const));

describe('the transition table', () => {
  it.each(pairs)('defines the next state in %s on %s', (state, event) => {
    expect(CONNECTION_STATES).toContain(nextState(state, event));
  });

  it('has no unlisted state or event', () => {
    expect(Object.keys(TRANSITIONS)).toEqual([...CONNECTION_STATES]);
    for (const state of CONNECTION_STATES)
      expect(CONNECTION_EVENTS).toEqual(expect.arrayContaining(Object.keys(TRANSITIONS[state])));
  });

  it('reaches every state from idle', () => {
    const reached = new Set<string>(['idle']);
    for (const state of reached) {
      for (const next of Object.values(TRANSITIONS[state as 'idle'])) reached.add(next);
    }
    expect(reached).toEqual(new Set(CONNECTION_STATES));
  });

  it.each(CONNECTION_STATES)('closes from %s', state => {
    expect(nextState(state, 'close')).toBe('closed');
  });

  it('leaves idle and closed only when the application asks', () => {
    for (const event of CONNECTION_EVENTS.filter(event => event !== 'connect' && event !== 'close')) {
      expect(nextState('idle', event)).toBe('idle');
      expect(nextState('closed', event)).toBe('closed');
    }
  });

  it('enters open only from restoring, and restoring only from opening', () => {
    for (const [state, event] of pairs) {
      const next = nextState(state, event);
      if (next === state) continue;
      if (next === 'open') expect(state).toBe('restoring');
      if (next === 'restoring') expect(state).toBe('opening');
    }
  });

  it.each(CONNECTION_STATES.filter(hasSocket))('reconnects after a loss in %s, and closes when stopped', state => {
    expect(TRANSITIONS[state].lost).toBe('waiting');
    expect(TRANSITIONS[state].stopped).toBe('closed');
  });

  it('nests its groups: states that take frames are in session, states in session have a socket', () => {
    for (const state of CONNECTION_STATES) {
      if (takesFrames(state)) expect(inSession(state)).toBe(true);
      if (inSession(state)) expect(hasSocket(state)).toBe(true);
    }
  });
});

describe('README.md', () => {
  // The formatter pads tables with spaces.
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8').replace(/ +/g, ' ');

  it('documents the current table', () => {
    const rows = [...readme.matchAll(/^\| `(\w+)` \|(.+)\|$/gm)].map(([, state, cells]) => ({
      state,
      cells: cells?.split('|').map(cell => cell.trim()),
    }));
    const table = rows.filter(({ cells }) => cells?.length === CONNECTION_EVENTS.length);
    expect(table).toEqual(
      CONNECTION_STATES.map(state => ({
        state,
        cells: CONNECTION_EVENTS.map(event => TRANSITIONS[state][event] ?? '·'),
      })),
    );
    expect(readme).toContain(`| state | ${CONNECTION_EVENTS.map(event => `\`${event}\``).join(' | ')} |`);
  });

  it('numbers its invariants, and there is a test for each', () => {
    const section = readme.split('## Invariants')[1]?.split('\n## ')[0] ?? '';
    const numbers = [...section.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
    const tests = readdirSync(new URL('.', import.meta.url)).filter(name => name.startsWith('invariants-'));
    const tested = tests.flatMap(name => {
      const source = readFileSync(new URL(name, import.meta.url), 'utf8');
      return [...source.matchAll(/describe\(['"]invariant (\d+):/g)].map(([, number]) => Number(number));
    });
    expect(numbers.length).toBeGreaterThan(0);
    expect(tested.sort((a, b) => a - b)).toEqual(numbers);
  });
});
