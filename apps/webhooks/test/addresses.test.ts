/** Addresses that a webhook may connect to, and names that resolve to others. */
import type { lookup as systemLookup } from 'node:dns';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { addressRule } from '../src/addresses.js';
import { permittedLookup } from '../src/lookup.js';
import { Receiver, type ReceiverOptions } from '../src/receiver.js';

const isPublic = addressRule([]);

test.for(['93.184.216.34', '8.8.8.8', '2606:2800:220:1::1'])('%s is public', address => {
  expect(isPublic(address)).toBe(true);
});

describe('an address that is not public is refused', () => {
  test.for([
    ['private', '10.0.0.1', '172.16.0.1', '192.168.1.1', 'fd00::1'],
    ['of this machine', '127.0.0.1', '127.9.9.9', '0.0.0.0', '::1', '::'],
    ['link-local, with the metadata services', '169.254.169.254', '169.254.0.1', 'fe80::1', 'fd00:ec2::254'],
    [
      'shared, reserved, multicast',
      '100.64.0.1',
      '192.0.2.1',
      '198.18.0.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
    ],
    [
      'of IPv4 in IPv6',
      '::ffff:127.0.0.1',
      '::ffff:10.0.0.1',
      '::ffff:a9fe:a9fe',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
    ],
    ['of IPv6 that is not global: for documentation, multicast, unassigned', '2001:db8::1', 'ff02::1', '4000::1'],
    ['no address', 'localhost', '', '127.1', '0x7f.1', '2130706433'],
  ] as const)('%s', ([, ...addresses]) => {
    expect(addresses.filter(isPublic)).toEqual([]);
  });
});

test('a setting permits private networks, also for their form in IPv6, and no others', () => {
  const isPermitted = addressRule(['10.1.0.0/16', '192.168.0.7', 'fd00::/8']);
  expect(['10.1.2.3', '::ffff:10.1.2.3', '192.168.0.7', 'fd12::1', '8.8.8.8'].filter(isPermitted)).toHaveLength(5);
  expect(['10.2.0.1', '192.168.0.8', '127.0.0.1', 'fe80::1'].filter(isPermitted)).toEqual([]);
});

/** A name server that has these addresses for every name. */
function nameServer(...addresses: string[]): typeof systemLookup {
  const answer = addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }));
  return ((_name: string, _options: object, callback: (error: null, found: object[]) => void) =>
    callback(null, answer)) as unknown as typeof systemLookup;
}

describe('a name', () => {
  const resolve = (all: boolean, ...addresses: string[]) =>
    new Promise<unknown>((done, fail) =>
      permittedLookup(isPublic, nameServer(...addresses))('hook.example', { all }, (error, found) =>
        error === null ? done(found) : fail(error),
      ),
    );

  test('is connected to at its public addresses only', async () => {
    expect(await resolve(true, '10.0.0.1', '93.184.216.34', '::1')).toEqual([{ address: '93.184.216.34', family: 4 }]);
    expect(await resolve(false, '10.0.0.1', '93.184.216.34')).toBe('93.184.216.34');
  });

  test('without a public address is refused', async () => {
    await expect(resolve(true, '169.254.169.254', '::ffff:127.0.0.1')).rejects.toMatchObject({
      result: 'forbidden_address',
      message: expect.stringMatching(/^hook\.example has no permitted address; HUBBUB_WEBHOOK_ALLOWED_NETWORKS/),
    });
  });
});

const OPTIONS: Omit<ReceiverOptions, 'url'> = {
  ...{ format: { headersOf: () => ({}) }, allowedNetworks: [], concurrency: 1 },
  ...{ timeoutMs: 2000, maxResponseBytes: 100, maxRetryAfterMs: 0, onAnswered: () => {}, onLongAnswer: () => {} },
};
const receiverOf = (url: string): Receiver => {
  const receiver = new Receiver({ ...OPTIONS, url });
  cleanup(() => receiver.close());
  return receiver;
};

describe('a receiver', () => {
  test.for([
    'https://169.254.169.254/latest',
    'https://[::ffff:7f00:1]/',
    'https://2130706432.example@10.0.0.1/',
    'https://0xa000001/',
  ])('%s is refused at the start', url => {
    expect(() => receiverOf(url)).toThrow('has no permitted address');
  });

  test('with a name that resolves to this machine gets nothing', async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests++;
      response.end();
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    cleanup(() => void server.close());
    const { port } = server.address() as { port: number };
    const send = (url: string) => receiverOf(url).send('msg_1', '{}', new AbortController().signal);
    await send(`http://localhost:${port}/`);
    expect(requests, 'a URL that names this machine may').toBe(1);
    // The name of the machine has an address of the loopback or of a private network, or none.
    await expect(send(`http://${hostname()}:${port}/`)).rejects.toMatchObject({
      result: expect.stringMatching(/^(forbidden_address|unreachable)$/),
    });
    expect(requests).toBe(1);
  });
});
