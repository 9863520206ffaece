/** Addresses that a phone reaches: those of the network, where the service listens on it. */
import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { addressesFor, networkHost } from '../service/network.js';

const card = (address: string, internal: boolean): NetworkInterfaceInfo => {
  return { address, internal, family: 'IPv4', netmask: '255.255.255.0', mac: '00:00:00:00:00:00', cidr: null };
};
const interfaces = { lo: [card('127.0.0.1', true)], wlan0: [card('192.168.7.20', false)] };

test.for([
  ['127.0.0.1', undefined],
  ['localhost', undefined],
  ['::1', undefined],
  ['0.0.0.0', '192.168.7.20'],
  ['::', '192.168.7.20'],
  ['10.1.2.3', '10.1.2.3'],
] as const)('a service that listens on %s has the host %s for other devices', ([listenHost, host]) => {
  expect(networkHost(listenHost, interfaces)).toBe(host);
});

test('a machine without a network has no host for other devices', () => {
  expect(networkHost('0.0.0.0', { lo: [card('127.0.0.1', true)] })).toBeUndefined();
});

test('a page reaches the edges by the name by which it reached the service', () => {
  const edges = ['ws://127.0.0.1:9001', 'wss://edge.example.org'];
  const phone = { hostname: '192.168.7.20', port: 3000 };
  expect(addressesFor(phone, edges, '192.168.7.20')).toEqual({
    edges: ['ws://192.168.7.20:9001', 'wss://edge.example.org'],
    networkUrl: 'http://192.168.7.20:3000',
  });
  expect(addressesFor({ hostname: '127.0.0.1', port: 3000 }, edges, undefined)).toEqual({ edges });
});
