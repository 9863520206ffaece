/** Which addresses a webhook may connect to: a name in the DNS must not open the internal network (SSRF). */
import ipaddr from 'ipaddr.js';

/** Global unicast addresses of IPv6 (RFC 4291 section 2.4); all others are special. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

export type AddressRule = (address: string) => boolean;

/**
 * Permits public addresses, and those of `networks`. Private, loopback, link-local (metadata services), shared and other special
 * addresses are not public, nor are their forms in IPv6.
 * @param networks such as `10.0.0.0/8` or `192.0.2.1`
 */
export function addressRule(networks: readonly string[]): AddressRule {
  const permitted = networks.map(parseNetwork);
  return text => {
    if (!ipaddr.isValid(text)) return false;
    // An IPv4 address in the form ::ffff:10.0.0.1 is that address.
    const address = ipaddr.process(text);
    return isPublic(address) || permitted.some(network => contains(network, address));
  };
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_IPV6);
}

type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

function parseNetwork(text: string): Network {
  const [address = '', bits] = text.split('/');
  const parsed = ipaddr.process(address);
  return [parsed, bits === undefined ? (parsed instanceof ipaddr.IPv4 ? 32 : 128) : Number(bits)];
}

function contains([network, bits]: Network, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (network instanceof ipaddr.IPv4) return address instanceof ipaddr.IPv4 && address.match(network, bits);
  return address instanceof ipaddr.IPv6 && address.match(network, bits);
}
