/** Interest: the first holder subscribes, and the last one unsubscribes after a linger. */
import { HubbubError } from '@hubbub/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Broker } from '../src/broker.js';
import { Interest } from '../src/interest.js';

/** A broker with confirmations by hand: the tested fault is time. */
class HandBroker implements Pick<Broker, 'subscribe' | 'unsubscribe' | 'isInterrupted'> {
  readonly calls: string[] = [];
  interrupted = false;

  isInterrupted(): boolean {
    return this.interrupted;
  }

  readonly #open: Array<{ call: string; resolve(): void; reject(error: Error): void }> = [];

  subscribe(channel: string): Promise<void> {
    return this.#call(`subscribe ${channel}`);
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#call(`unsubscribe ${channel}`);
  }

  async confirm(call: string): Promise<void> {
    this.#take(call).resolve();
    await vi.advanceTimersByTimeAsync(0);
  }

  async fail(call: string): Promise<void> {
    this.#take(call).reject(new HubbubError('UNAVAILABLE', 'no Redis'));
    await vi.advanceTimersByTimeAsync(0);
  }

  #call(call: string): Promise<void> {
    this.calls.push(call);
    return new Promise((resolve, reject) => this.#open.push({ call, resolve, reject }));
  }

  #take(call: string) {
    const index = this.#open.findIndex(open => open.call === call);
    const [found] = this.#open.splice(index, 1);
    if (index < 0 || found === undefined) throw new Error(`${call} was not asked for; calls: ${this.calls.join(', ')}`);
    return found;
  }
}

const LINGER_MS = 5000;

describe('interest', () => {
  let broker: HandBroker;
  let interest: Interest;

  beforeEach(() => {
    vi.useFakeTimers();
    broker = new HandBroker();
    interest = new Interest(broker as unknown as Broker, LINGER_MS);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Whether the promise has settled by now, and how. */
  function watch(acquired: void | Promise<void>): { state: string } {
    const watched = { state: 'waiting' };
    Promise.resolve(acquired).then(
      () => {
        watched.state = 'held';
      },
      () => {
        watched.state = 'refused';
      },
    );
    return watched;
  }

  test('a join is answered only when the subscription is confirmed, and concurrent joiners share it', async () => {
    const joiners = [watch(interest.acquire('c')), watch(interest.acquire('c'))];
    await vi.advanceTimersByTimeAsync(1000);
    expect(joiners.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
    await broker.confirm('subscribe c');
    expect(joiners.map(({ state }) => state)).toEqual(['held', 'held']);
    expect(broker.calls).toEqual(['subscribe c']);
  });

  test('a confirmed channel is acquired without a promise', async () => {
    void interest.acquire('c');
    await broker.confirm('subscribe c');
    expect(interest.acquire('c')).toBeUndefined();
    broker.interrupted = true;
    expect(interest.acquire('c')).toBeInstanceOf(Promise);
  });

  test('a failed subscription refuses all who wait, and the next one tries again', async () => {
    const joiners = [watch(interest.acquire('c')), watch(interest.acquire('c'))];
    await broker.fail('subscribe c');
    expect(joiners.map(({ state }) => state)).toEqual(['refused', 'refused']);
    expect(interest.size).toBe(0);
    const later = watch(interest.acquire('c'));
    await broker.confirm('subscribe c');
    expect(later.state).toBe('held');
  });

  test('the last one out leaves the subscription standing for the linger', async () => {
    void interest.acquire('c');
    await broker.confirm('subscribe c');
    interest.release('c');
    await vi.advanceTimersByTimeAsync(LINGER_MS - 1);
    expect(broker.calls).toEqual(['subscribe c']);
    await vi.advanceTimersByTimeAsync(1);
    expect(broker.calls).toEqual(['subscribe c', 'unsubscribe c']);
    await broker.confirm('unsubscribe c');
    expect(interest.size).toBe(0);
  });

  test('acquiring again within the linger costs Redis nothing', async () => {
    void interest.acquire('c');
    await broker.confirm('subscribe c');
    interest.release('c');
    await vi.advanceTimersByTimeAsync(LINGER_MS - 1);
    const back = watch(interest.acquire('c'));
    await vi.advanceTimersByTimeAsync(10 * LINGER_MS);
    expect(back.state).toBe('held');
    expect(broker.calls).toEqual(['subscribe c']);
  });

  test('an acquire during a pending unsubscribe waits for it, so that the two cannot swap', async () => {
    void interest.acquire('c');
    await broker.confirm('subscribe c');
    interest.release('c');
    await vi.advanceTimersByTimeAsync(LINGER_MS);
    const back = watch(interest.acquire('c'));
    await vi.advanceTimersByTimeAsync(0);
    expect(broker.calls).toEqual(['subscribe c', 'unsubscribe c']);
    await broker.confirm('unsubscribe c');
    expect(broker.calls).toEqual(['subscribe c', 'unsubscribe c', 'subscribe c']);
    await broker.confirm('subscribe c');
    expect(back.state).toBe('held');
    interest.release('c');
    const last = watch(interest.acquire('c'));
    await vi.advanceTimersByTimeAsync(0);
    expect([last.state, interest.size]).toEqual(['held', 1]);
  });

  test('a remaining holder keeps the subscription when another one leaves', async () => {
    for (let holder = 0; holder < 2; holder++) void interest.acquire('c');
    await broker.confirm('subscribe c');
    interest.release('c');
    await vi.advanceTimersByTimeAsync(2 * LINGER_MS);
    expect(broker.calls).toEqual(['subscribe c']);
    interest.release('c');
    await vi.advanceTimersByTimeAsync(LINGER_MS);
    expect(broker.calls).toEqual(['subscribe c', 'unsubscribe c']);
  });

  test('closed, it leaves no timer', async () => {
    void interest.acquire('c');
    await broker.confirm('subscribe c');
    interest.release('c');
    interest.close();
    expect([interest.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  describe('during a break of the subscription', () => {
    test.each(['held', 'lingering'])('a %s channel is acquired only when it is confirmed again', async state => {
      void interest.acquire('c');
      await broker.confirm('subscribe c');
      if (state === 'lingering') interest.release('c');
      broker.interrupted = true;
      const joiner = watch(interest.acquire('c'));
      await vi.advanceTimersByTimeAsync(1000);
      expect(joiner.state).toBe('waiting');
      expect(broker.calls).toEqual(['subscribe c', 'subscribe c']);
      await broker.confirm('subscribe c');
      expect(joiner.state).toBe('held');
    });

    test('an acquire that is refused leaves the channel to its other holders', async () => {
      void interest.acquire('c');
      await broker.confirm('subscribe c');
      broker.interrupted = true;
      const joiner = watch(interest.acquire('c'));
      await vi.advanceTimersByTimeAsync(0);
      await broker.fail('subscribe c');
      expect(joiner.state).toBe('refused');
      broker.interrupted = false;
      const later = watch(interest.acquire('c'));
      await vi.advanceTimersByTimeAsync(10 * LINGER_MS);
      expect(later.state).toBe('held');
      interest.release('c');
      interest.release('c');
      await vi.advanceTimersByTimeAsync(LINGER_MS);
      expect(broker.calls.at(-1)).toBe('unsubscribe c');
    });

    test('a lingering channel whose acquire is refused still ends', async () => {
      void interest.acquire('c');
      await broker.confirm('subscribe c');
      interest.release('c');
      broker.interrupted = true;
      void watch(interest.acquire('c'));
      await vi.advanceTimersByTimeAsync(0);
      await broker.fail('subscribe c');
      await vi.advanceTimersByTimeAsync(LINGER_MS);
      expect(broker.calls.at(-1)).toBe('unsubscribe c');
      await broker.confirm('unsubscribe c');
      expect(interest.size).toBe(0);
    });
  });

  test('releasing a channel that is not held is a defect, and throws immediately', () => {
    expect(() => interest.release('c')).toThrow('released more often than acquired: c');
  });
});
