/** The heartbeat notices that an edge is gone although its socket stays silent. Fake clock, no edge. */
import { describe, expect, it, vi } from 'vitest';
import { Heartbeat } from '../src/heartbeat.js';
import { useFakeClock } from './support/fake-clock.js';

useFakeClock();

const POLICY = { heartbeatIntervalMs: 1_000, heartbeatTimeoutMs: 300 };

function startHeartbeat() {
  const ports = { ping: vi.fn(), dead: vi.fn() };
  const heartbeat = new Heartbeat(POLICY, ports);
  heartbeat.start();
  return { heartbeat, ...ports };
}

describe('a heartbeat', () => {
  it('pings after the interval, and reports a dead edge once, after the timeout', async () => {
    const { heartbeat, ping, dead } = startHeartbeat();
    await vi.advanceTimersByTimeAsync(999);
    expect(ping).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(ping).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(299);
    expect(dead).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(dead).toHaveBeenCalledTimes(1);
    heartbeat.heard(); // A late frame does not revive it.
    heartbeat.probe();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([ping.mock.calls.length, dead.mock.calls.length, vi.getTimerCount()]).toEqual([1, 1, 0]);
  });

  it('counts the interval from what was heard last', async () => {
    const { heartbeat, ping } = startHeartbeat();
    await vi.advanceTimersByTimeAsync(900);
    heartbeat.heard();
    await vi.advanceTimersByTimeAsync(999);
    expect(ping).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(ping).toHaveBeenCalledTimes(1);
  });

  it('does not delay the verdict however often the network changes meanwhile', async () => {
    const { heartbeat, ping, dead } = startHeartbeat();
    heartbeat.probe();
    for (let ms = 0; ms < 300; ms += 50) {
      heartbeat.probe();
      await vi.advanceTimersByTimeAsync(50);
    }
    expect([ping.mock.calls.length, dead.mock.calls.length]).toEqual([1, 1]);
  });

  it('continues after a sign of life, and checks again on request', async () => {
    const { heartbeat, ping, dead } = startHeartbeat();
    heartbeat.probe();
    await vi.advanceTimersByTimeAsync(100);
    heartbeat.heard();
    await vi.advanceTimersByTimeAsync(200); // The timeout of the first ping is over: nothing happens.
    expect(dead).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(799);
    expect(ping).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1); // 1,000 ms after it was heard.
    expect(ping).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(300);
    expect(dead).toHaveBeenCalledTimes(1);
  });

  it('gives a second check its own whole timeout, once the first was answered', async () => {
    const { heartbeat, ping, dead } = startHeartbeat();
    heartbeat.probe();
    await vi.advanceTimersByTimeAsync(200);
    heartbeat.heard();
    heartbeat.probe();
    expect(ping).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(299);
    expect(dead).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(dead).toHaveBeenCalledTimes(1);
  });

  it('does nothing once stopped, also on request', async () => {
    const { heartbeat, ping, dead } = startHeartbeat();
    heartbeat.probe();
    heartbeat.heard();
    heartbeat.stop();
    heartbeat.probe();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([ping.mock.calls.length, dead.mock.calls.length, vi.getTimerCount()]).toEqual([1, 0, 0]);
  });

  it('starts again without a pending check', async () => {
    const { heartbeat, ping, dead } = startHeartbeat();
    heartbeat.probe();
    heartbeat.stop();
    heartbeat.start();
    await vi.advanceTimersByTimeAsync(999);
    expect(ping).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect([ping.mock.calls.length, dead.mock.calls.length]).toEqual([2, 0]);
  });
});
