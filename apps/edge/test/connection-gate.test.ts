/** Connection counts: each admitted connection counts until it leaves, and addresses without connections are forgotten. */
import fc from 'fast-check';
import pino from 'pino';
import { expect, test } from 'vitest';
import { ConnectionGate } from '../src/limits/connection-gate.js';
import type { ConnectionBounds } from '../src/limits/descriptors.js';
import type { LimitName } from '../src/limits/limit-exceeded.js';

interface Settings {
  readonly maxConnectionsPerAddress?: number;
  readonly maxHandshakesPerSecond?: number;
  readonly maxSessions?: number;
  readonly proxies?: string[];
  readonly bounds?: ConnectionBounds;
}

function gateOf(settings: Settings) {
  const exceeded: LimitName[] = [];
  const warnings: string[] = [];
  const clock = { ms: 0 };
  const log = pino({ level: 'warn' }, { write: line => void warnings.push(line) });
  const gate = new ConnectionGate({
    maxConnectionsPerAddress: settings.maxConnectionsPerAddress ?? 0,
    maxHandshakesPerSecond: settings.maxHandshakesPerSecond ?? 0,
    maxSessions: settings.maxSessions ?? 0,
    trustedProxies: settings.proxies ?? [],
    trustedHops: 0,
    bounds: settings.bounds,
    metrics: { exceeded: limit => exceeded.push(limit) },
    log,
    now: () => clock.ms,
  });
  const enters = (group: string): boolean => {
    try {
      gate.admit(group);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'RATE_LIMITED' });
      return false;
    }
  };
  return { gate, enters, exceeded, warnings, clock };
}

test('in any sequence of connects and closes an address stays within its limit, and idle addresses are forgotten', () => {
  const step = fc.record({ group: fc.constantFrom('a', 'b'), act: fc.constantFrom('open', 'request', 'end', 'leave') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const { gate, enters } = gateOf({ maxConnectionsPerAddress: 3 });
      const silent: Record<string, number> = { a: 0, b: 0 };
      const sessions: Record<string, number> = { a: 0, b: 0 };
      for (const { group, act } of steps) {
        const [waiting = 0, inside = 0] = [silent[group], sessions[group]];
        if (act === 'open') {
          expect(gate.connected(group)).toBe(waiting < 3);
          silent[group] = Math.min(3, waiting + 1);
        } else if (act === 'leave') {
          if (inside > 0) gate.release(group);
          sessions[group] = Math.max(0, inside - 1);
        } else if (waiting > 0) {
          gate.heard(group);
          silent[group] = waiting - 1;
          if (act === 'request') {
            expect(enters(group)).toBe(inside < 3);
            sessions[group] = Math.min(3, inside + 1);
          }
        }
        const connected = ['a', 'b'].filter(name => (silent[name] ?? 0) + (sessions[name] ?? 0) > 0);
        expect(gate.addresses).toBe(connected.length);
        expect(gate.halfOpen).toBe((silent.a ?? 0) + (silent.b ?? 0));
      }
    }),
  );
});

test('one address takes at most half of the handshakes per second, so that others can connect', () => {
  const { enters, clock, exceeded } = gateOf({ maxHandshakesPerSecond: 10 });
  const admitted = (group: string) => Array.from({ length: 20 }, () => enters(group)).filter(Boolean).length;
  expect(admitted('flood')).toBe(5);
  expect(admitted('other')).toBe(5);
  expect(admitted('late')).toBe(0);
  clock.ms = 1000;
  expect(admitted('late')).toBe(5);
  expect(new Set(exceeded)).toEqual(new Set(['handshakes']));
});

test('spreads the Retry-After seconds of refused connections', () => {
  const { gate } = gateOf({ maxConnectionsPerAddress: 1 });
  gate.admit('a');
  const delays = Array.from({ length: 200 }, () => {
    try {
      gate.admit('a');
      return 0;
    } catch (error) {
      return (error as { retryAfterMs: number }).retryAfterMs;
    }
  });
  expect(new Set(delays)).toEqual(new Set(Array.from({ length: 10 }, (_, index) => (index + 1) * 1000)));
});

test('logs the refusals once, with advice for a proxy', () => {
  const { enters, warnings } = gateOf({ maxConnectionsPerAddress: 1 });
  for (let n = 0; n < 10; n++) enters('192.0.2.1');
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/192\.0\.2\.1 has reached the limit.*HUBBUB_TRUSTED_PROXIES/);
  const known = gateOf({ maxConnectionsPerAddress: 1, proxies: ['10.0.0.0/8'] });
  for (let n = 0; n < 10; n++) known.enters('192.0.2.1');
  expect(known.warnings[0]).not.toContain('HUBBUB_TRUSTED_PROXIES');
});

test('does not count a connection that exceeds the limit of silent connections of its address, and names the limit', () => {
  const { gate, exceeded } = gateOf({ maxConnectionsPerAddress: 2 });
  expect([gate.connected('a'), gate.connected('a'), gate.connected('a')]).toEqual([true, true, false]);
  expect(gate.connected('b')).toBe(true);
  expect(gate.halfOpen).toBe(3);
  expect(exceeded).toEqual(['silent_connections']);
});

test('admissions of an address in one second do not count in a later one, however few they were', () => {
  const { enters, clock } = gateOf({ maxHandshakesPerSecond: 10 });
  for (let second = 0; second < 5; second++) {
    clock.ms = second * 1000;
    const admitted = Array.from({ length: 3 }, () => enters('a'));
    expect(admitted, `second ${second}`).toEqual([true, true, true]);
  }
});

test('refuses requests above the descriptors for sessions and ends connections above all descriptors, until others have ended', () => {
  const { gate, exceeded, warnings } = gateOf({ bounds: { served: 2, open: 3 } });
  const connect = (): boolean => {
    const hasDescriptor = gate.accepted();
    if (!hasDescriptor) gate.ended();
    return hasDescriptor;
  };
  for (let n = 0; n < 2; n++) {
    expect(connect()).toBe(true);
    gate.admit('a');
  }
  expect(connect()).toBe(true);
  expect(() => gate.admit('a')).toThrow(expect.objectContaining({ limit: 'descriptors', code: 'UNAVAILABLE' }));
  expect(connect()).toBe(false);
  expect(exceeded).toEqual(['descriptors', 'descriptors']);
  expect(warnings).toHaveLength(1);
  // The refused connection and one session end, which frees a place.
  gate.ended();
  gate.release('a');
  gate.ended();
  expect(connect()).toBe(true);
  gate.admit('a');
});

test('closing refused connections take at most half of the descriptors for refusals, one address half of that, and none reserved for sessions', () => {
  const { gate, enters, exceeded } = gateOf({ bounds: { served: 2, open: 10 } });
  const refuse = (address: string): boolean => {
    gate.accepted();
    const closes = gate.refusing(address);
    if (!closes) gate.ended();
    return closes;
  };
  expect([refuse('a'), refuse('a'), refuse('a')]).toEqual([true, true, false]);
  expect([refuse('b'), refuse('c'), refuse('d')]).toEqual([true, true, false]);
  expect(exceeded).toEqual(['refused_upgrades', 'refused_upgrades']);
  expect(gate.addresses).toBe(3);
  for (const address of ['a', 'b']) {
    gate.accepted();
    expect(enters(address)).toBe(true);
  }
  for (const address of ['a', 'a', 'b', 'c']) {
    gate.refusalEnded(address);
    gate.ended();
  }
  expect(gate.addresses).toBe(2);
  expect(refuse('a')).toBe(true);
});

test('bounds closing refused connections even without a known limit of descriptors', () => {
  const { gate } = gateOf({});
  const refused = (address: string) =>
    Array.from({ length: 1000 }, () => gate.refusing(address)).filter(Boolean).length;
  expect([refused('a'), refused('b'), refused('c')]).toEqual([256, 256, 0]);
});

test('an edge with its number of sessions refuses more with 503 until one has left, and logs it once', () => {
  const { gate, exceeded, warnings } = gateOf({ maxSessions: 2 });
  gate.admit('a');
  gate.admit('b');
  for (let n = 0; n < 3; n++) {
    expect(() => gate.admit('c')).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) }),
    );
  }
  expect(exceeded).toEqual(['sessions', 'sessions', 'sessions']);
  expect(warnings.map(line => JSON.parse(line))).toEqual([
    expect.objectContaining({ event: 'edge_full', sessions: 2 }),
  ]);
  gate.release('a');
  gate.admit('c');
});
