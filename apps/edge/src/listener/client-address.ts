/** The address of a client: the peer's, or the one that a trusted proxy names in X-Forwarded-For. */
import type { Config } from '@hubbub/config';
import ipaddr from 'ipaddr.js';
import { type IpAddress, parseIpAddress } from '../limits/limit-key.js';

export interface ClientAddressOptions extends Pick<Config, 'trustedProxies' | 'trustedHops'> {
  /** The header of a trusted proxy could not be read, or did not have as many addresses as there are hops. */
  readonly onMalformed: () => void;
}

export interface ClientAddresses {
  /** Whether connections of this peer are those of many clients. */
  isProxy(peer: IpAddress): boolean;
  /** @param forwardedFor every X-Forwarded-For of the request, joined by commas; asked for only where it is believed */
  clientOf(peer: IpAddress, forwardedFor: () => string): IpAddress;
}

export function createClientAddresses(options: ClientAddressOptions): ClientAddresses {
  const { trustedHops, onMalformed } = options;
  const isTrusted = trustedNetworks(options.trustedProxies);
  const isProxy = (peer: IpAddress): boolean => trustedHops > 0 || isTrusted?.(peer) === true;
  return {
    isProxy,
    clientOf(peer, forwardedFor) {
      if (!isProxy(peer)) return peer;
      const header = forwardedFor();
      // The proxy's own requests, such as health checks, lack the header.
      if (header === '') return peer;
      const chain = header.split(',');
      const client =
        trustedHops > 0 ? readAddress(chain.at(-trustedHops)) : lastUntrusted(chain, address => isTrusted?.(address));
      if (client === undefined) onMalformed();
      return client ?? peer;
    },
  };
}

/** `undefined` without trusted networks. */
function trustedNetworks(networks: readonly string[]): ((address: IpAddress) => boolean) | undefined {
  if (networks.length === 0) return undefined;
  const parsed = networks.map(parseNetwork);
  return ({ text }) => {
    if (text === '') return false;
    const address = ipaddr.parse(text);
    return parsed.some(network => network[0].kind() === address.kind() && address.match(network));
  };
}

const MAPPED_BITS = 96;

/** An address counts as a network of one address; ::ffff:10.0.0.0/104 is 10.0.0.0/8. */
function parseNetwork(network: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [text = '', bits] = network.split('/');
  const address = ipaddr.process(text);
  if (bits === undefined) return [address, address.toByteArray().length * 8];
  const isMapped = text.includes(':') && address.kind() === 'ipv4';
  return [address, Math.max(0, Number(bits) - (isMapped ? MAPPED_BITS : 0))];
}

/** Entries left of the first address that is not our proxy can be forged. */
function lastUntrusted(
  chain: readonly string[],
  isTrusted: (address: IpAddress) => boolean | undefined,
): IpAddress | undefined {
  let address: IpAddress | undefined;
  for (let index = chain.length - 1; index >= 0; index--) {
    address = readAddress(chain[index]);
    if (address === undefined || isTrusted(address) !== true) return address;
  }
  return address; // Every entry is a proxy: the farthest one sent the request.
}

const WITH_PORT = /^(\d+\.\d+\.\d+\.\d+):\d+$|^\[([^\]]+)\](?::\d+)?$/;

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function readAddress(text: string | undefined): IpAddress | undefined {
  const trimmed = text?.trim() ?? '';
  const [, ipv4, ipv6] = WITH_PORT.exec(trimmed) ?? [];
  return parseIpAddress(ipv4 ?? ipv6 ?? trimmed);
}
