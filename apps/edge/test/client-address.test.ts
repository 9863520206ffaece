/** The client address: only entries from trusted proxies count, and each address has one spelling. */
import { expect, test } from 'vitest';
import { parseIpAddress, peerAddress } from '../src/limits/limit-key.js';
import { createClientAddresses } from '../src/listener/client-address.js';

test.each([
  ['192.0.2.1', '192.0.2.1', '192.0.2.1'],
  ['0000:0000:0000:0000:0000:ffff:c000:0201', '192.0.2.1', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1', '192.0.2.1'],
  ['::ffff:255.255.255.255', '255.255.255.255', '255.255.255.255'],
  ['::1', '::1', '0:0:0:0::/64'],
  ['::', '::', '0:0:0:0::/64'],
  ['2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:ffff::', '2001:db8:1:2:ffff::', '2001:db8:1:2::/64'],
  ['fe80::1:2:3:4:5', 'fe80::1:2:3:4:5', 'fe80:0:0:1::/64'],
])('%s is %s and counts as %s', (text, address, group) => {
  expect(parseIpAddress(text)).toMatchObject({ text: address, group });
});

test.each(['', ' ', 'x', '1.2.3', '1.2.3.4.5', '01.2.3.4', '256.1.1.1', '::g', 'fe80::1%eth0', '1.2.3.4/8', '[::1]'])(
  'rejects %o as an address',
  text => {
    expect(parseIpAddress(text)).toBeUndefined();
  },
);

const PROXY = '10.0.0.1';
const CLIENT = '203.0.113.7';

interface Trust {
  readonly trustedProxies?: string[];
  readonly trustedHops?: number;
}

/** The client's address, and how many headers could not be read. */
function clientOf(trust: Trust, peer: string, forwardedFor: string): [string, number] {
  let malformed = 0;
  const addresses = createClientAddresses({
    trustedProxies: trust.trustedProxies ?? [],
    trustedHops: trust.trustedHops ?? 0,
    onMalformed: () => malformed++,
  });
  return [addresses.clientOf(peerAddress(peer), () => forwardedFor).text, malformed];
}

const NETWORK: Trust = { trustedProxies: ['10.0.0.0/8', '2001:db8:cafe::/48', '192.0.2.9'] };

test.each<[string, Trust, string, string, string, number]>([
  ['nothing is trusted by default', {}, PROXY, CLIENT, PROXY, 0],
  ['a peer that is no proxy writes what it wants', NETWORK, '198.51.100.1', CLIENT, '198.51.100.1', 0],
  ['a proxy says whose it is', NETWORK, PROXY, CLIENT, CLIENT, 0],
  ['a proxy by its address', NETWORK, '192.0.2.9', CLIENT, CLIENT, 0],
  ['a proxy of IPv6', NETWORK, '2001:db8:cafe::9', '2001:db8::5', '2001:db8::5', 0],
  ['a network of mapped addresses', { trustedProxies: ['::ffff:10.0.0.0/104'] }, PROXY, CLIENT, CLIENT, 0],
  ['a proxy by its mapped address', { trustedProxies: ['::ffff:10.0.0.1'] }, PROXY, CLIENT, CLIENT, 0],
  ['an IPv4 proxy on an IPv6 socket', NETWORK, '::ffff:10.0.0.1', CLIENT, CLIENT, 0],
  ['what the client wrote itself stands left', NETWORK, PROXY, `1.1.1.1, ${CLIENT}`, CLIENT, 0],
  ['proxies behind proxies', NETWORK, PROXY, `1.1.1.1,${CLIENT} , 10.9.9.9,10.0.0.2`, CLIENT, 0],
  ['nobody but proxies', NETWORK, PROXY, '10.9.9.9, 10.0.0.2', '10.9.9.9', 0],
  ['the proxy itself asks', NETWORK, PROXY, '', PROXY, 0],
  ['with a port', NETWORK, PROXY, `${CLIENT}:4711`, CLIENT, 0],
  ['IPv6 with a port', NETWORK, PROXY, '[2001:db8::5]:4711', '2001:db8::5', 0],
  ['a mapped address', NETWORK, PROXY, `::ffff:${CLIENT}`, CLIENT, 0],
  ['nonsense', NETWORK, PROXY, 'unknown', PROXY, 1],
  ['nonsense left of the client', NETWORK, PROXY, `unknown, ${CLIENT}`, CLIENT, 0],
  ['nonsense between proxies', NETWORK, PROXY, `${CLIENT}, unknown, 10.0.0.2`, PROXY, 1],
  ['an empty place', NETWORK, PROXY, `${CLIENT},`, PROXY, 1],
  ['one hop', { trustedHops: 1 }, PROXY, `1.1.1.1, ${CLIENT}`, CLIENT, 0],
  ['two hops', { trustedHops: 2 }, PROXY, `1.1.1.1, ${CLIENT}, 172.16.0.1`, CLIENT, 0],
  ['fewer addresses than hops', { trustedHops: 2 }, PROXY, CLIENT, PROXY, 1],
  ['nonsense at the hop', { trustedHops: 1 }, PROXY, `${CLIENT}, _hidden`, PROXY, 1],
])('%s', (_, trust, peer, header, client, malformed) => {
  expect(clientOf(trust, peer, header)).toEqual([client, malformed]);
});

test('all peers without an address count as one', () => {
  expect(clientOf(NETWORK, '', CLIENT)).toEqual(['', 0]);
});
