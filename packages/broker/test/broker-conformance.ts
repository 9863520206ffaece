/** The guarantees of every broker (src/broker.ts), as one suite that each implementation runs. */

import { eventually } from '@hubbub/tools/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Broker } from '../src/broker.js';

/** Opens brokers of one cluster that are ready to publish and subscribe. */
export type OpenBroker = () => Promise<Broker>;

interface Heard {
  readonly channel: string;
  readonly text: string;
}

export function brokerConformance(name: string, start: () => Promise<OpenBroker>): void {
  describe(`${name}: the guarantees of a broker`, () => {
    let open: OpenBroker;
    const brokers: Broker[] = [];

    beforeEach(async () => {
      open = await start();
    });
    afterEach(async () => {
      await Promise.all(brokers.splice(0).map(broker => broker.close()));
    });

    async function newBroker(): Promise<{ broker: Broker; heard: Heard[] }> {
      const broker = await open();
      brokers.push(broker);
      const heard: Heard[] = [];
      broker.onEnvelope((channel, envelope) => heard.push({ channel, text: Buffer.from(envelope).toString() }));
      return { broker, heard };
    }

    test('a message published after subscribe resolved arrives, at the publisher too', async () => {
      const alice = await newBroker();
      const bob = await newBroker();
      await Promise.all([alice.broker.subscribe('c'), bob.broker.subscribe('c')]);
      await alice.broker.publish('c', Buffer.from('hi'));
      await eventually(() => alice.heard.length === 1 && bob.heard.length === 1, { describe: 'both heard it' });
      expect(bob.heard).toEqual([{ channel: 'c', text: 'hi' }]);
    });

    test('all subscribers hear the envelopes of two publishers in one order, each publisher in its own', async () => {
      const publishers = [await newBroker(), await newBroker()];
      const listeners = [await newBroker(), await newBroker()];
      await Promise.all(listeners.map(({ broker }) => broker.subscribe('c')));
      const count = 200;
      await Promise.all(
        publishers.flatMap(({ broker }, who) =>
          Array.from({ length: count }, (_, index) => broker.publish('c', Buffer.from(`${who}:${index}`))),
        ),
      );
      const [one, two] = listeners;
      await eventually(() => one?.heard.length === 2 * count && two?.heard.length === 2 * count);
      expect(one?.heard).toEqual(two?.heard);
      for (const who of [0, 1]) {
        const own = one?.heard.map(({ text }) => text).filter(text => text.startsWith(`${who}:`));
        expect(own).toEqual(Array.from({ length: count }, (_, index) => `${who}:${index}`));
      }
    });

    test('only subscribed channels are delivered, and none after unsubscribe resolved', async () => {
      const { broker, heard } = await newBroker();
      await broker.subscribe('wanted');
      await broker.subscribe('left');
      await broker.unsubscribe('left');
      await broker.publish('left', Buffer.from('no'));
      await broker.publish('never', Buffer.from('no'));
      await broker.publish('wanted', Buffer.from('yes'));
      await eventually(() => heard.length > 0);
      expect(heard).toEqual([{ channel: 'wanted', text: 'yes' }]);
    });

    test('subscribing twice is one subscription', async () => {
      const { broker, heard } = await newBroker();
      await Promise.all([broker.subscribe('c'), broker.subscribe('c')]);
      await broker.subscribe('c');
      await broker.publish('c', Buffer.from('once'));
      await broker.publish('c', Buffer.from('end'));
      await eventually(() => heard.some(({ text }) => text === 'end'));
      expect(heard.map(({ text }) => text)).toEqual(['once', 'end']);
    });

    test('a key publishes once on its channel, whoever repeats it, and keeps its place among the others', async () => {
      const alice = await newBroker();
      const bob = await newBroker();
      await Promise.all(['c', 'd'].map(channel => bob.broker.subscribe(channel)));
      const outcomes = await Promise.all([
        alice.broker.publish('c', Buffer.from('first')),
        alice.broker.publishOnce('c', Buffer.from('second'), 'k'),
        alice.broker.publishOnce('c', Buffer.from('again'), 'k'),
        alice.broker.publish('c', Buffer.from('third')),
        alice.broker.publishOnce('d', Buffer.from('elsewhere'), 'k'),
      ]);
      expect(outcomes.filter(Boolean)).toEqual([{ repeated: false }, { repeated: true }, { repeated: false }]);
      expect(await bob.broker.publishOnce('c', Buffer.from('again'), 'k')).toEqual({ repeated: true });
      await bob.broker.publish('c', Buffer.from('end'));
      await eventually(() => bob.heard.length >= 5);
      const heardOn = (wanted: string) => bob.heard.filter(({ channel }) => channel === wanted).map(({ text }) => text);
      expect(heardOn('c')).toEqual(['first', 'second', 'third', 'end']);
      expect(heardOn('d')).toEqual(['elsewhere']);
    });

    test('a kept envelope and a probe reach subscribers once, and a key of a kept one holds as of any other', async () => {
      const alice = await newBroker();
      const bob = await newBroker();
      await bob.broker.subscribe('c');
      const envelope = Buffer.from('\u0001{"e":"j"}\u0002body');
      for (let time = 0; time < 2; time++) {
        expect(await alice.broker.publishKept('c', envelope)).toEqual({ repeated: false });
      }
      expect(await alice.broker.publishKept('c', envelope, 'of the kept one')).toEqual({ repeated: false });
      expect(await alice.broker.publishKept('c', envelope, 'of the kept one')).toEqual({ repeated: true });
      expect(await alice.broker.publishOnce('c', envelope, 'of the kept one')).toEqual({ repeated: true });
      await alice.broker.probe('c', envelope);
      await alice.broker.publish('c', Buffer.from('end'));
      await eventually(() => bob.heard.some(({ text }) => text === 'end'));
      expect(bob.heard.map(({ text }) => /body$|end/.exec(text)?.[0])).toEqual(['body', 'body', 'body', 'body', 'end']);
    });

    test('any bytes arrive as they are, on any channel name', async () => {
      const { broker } = await newBroker();
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      let got: { channel: string; envelope: Uint8Array } | undefined;
      broker.onEnvelope((channel, envelope) => {
        got = { channel, envelope };
      });
      await broker.subscribe('user:{Zoë}');
      await broker.publish('user:{Zoë}', bytes);
      const { channel, envelope } = await eventually(() => got);
      expect(channel).toBe('user:{Zoë}');
      expect(Uint8Array.from(envelope)).toEqual(bytes);
    });

    test('thousands of simultaneous subscriptions are all confirmed, and all receive messages', async () => {
      const { broker, heard } = await newBroker();
      const channels = Array.from({ length: 3000 }, (_, index) => `c${index}`);
      await Promise.all(channels.map(channel => broker.subscribe(channel)));
      await Promise.all(channels.map(channel => broker.publish(channel, Buffer.from('x'))));
      await eventually(() => heard.length === channels.length, { describe: 'every channel was heard' });
      expect(new Set(heard.map(({ channel }) => channel)).size).toBe(channels.length);
    });

    test('a listener that publishes does not come between two envelopes of others', async () => {
      const { broker } = await newBroker();
      const order: string[] = [];
      broker.onEnvelope((_, envelope) => {
        const text = Buffer.from(envelope).toString();
        order.push(text);
        if (text === 'first') void broker.publish('c', Buffer.from('answer'));
      });
      await broker.subscribe('c');
      await Promise.all([broker.publish('c', Buffer.from('first')), broker.publish('c', Buffer.from('second'))]);
      await eventually(() => order.length === 3);
      expect(order).toEqual(['first', 'second', 'answer']);
    });

    test('a closed broker refuses with UNAVAILABLE', async () => {
      const { broker } = await newBroker();
      await broker.close();
      await expect(broker.publish('c', Buffer.from('x'))).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        retryable: true,
      });
      await expect(broker.publishOnce('c', Buffer.from('x'), 'k')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(broker.subscribe('c')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });
  });
}
