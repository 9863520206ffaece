/** The keys by which limits count: users, and IP addresses in one spelling. */
import { isIP } from 'node:net';
import { isAnonymousId, type Sender } from '@hubbub/protocol';
import ipaddr from 'ipaddr.js';

export interface IpAddress {
  /** RFC 5952; an IPv4 address that came as ::ffff:… is IPv4. */
  readonly text: string;
  /** The address; of IPv6 its /64, which is what one customer gets (RFC 6177). */
  readonly group: string;
}

const GROUPS_OF_A_NETWORK = 4;

/** `undefined` for other text. @example parseIpAddress('2001:DB8:0:0::1')?.text === '2001:db8::1' */
export function parseIpAddress(text: string): IpAddress | undefined {
  const family = isIP(text);
  if (family === 0 || text.includes('%')) return undefined;
  if (family === 4) return { text, group: text }; // There is one spelling, and parsing costs microseconds.
  const address = ipaddr.process(text);
  const canonical = address.toString();
  if (address instanceof ipaddr.IPv4) return { text: canonical, group: canonical };
  const network = address.parts.slice(0, GROUPS_OF_A_NETWORK).map(part => part.toString(16));
  return { text: canonical, group: `${network.join(':')}::/64` };
}

/** A peer without an address, as on a UNIX socket: all of them are one. */
const UNKNOWN: IpAddress = { text: '', group: '' };

/** The address of the other end, as the engine writes it. */
export function peerAddress(text = ''): IpAddress {
  return parseIpAddress(text) ?? UNKNOWN;
}

/** Identifies who limits count; a session is one. */
export interface Limited {
  readonly user: Sender;
  readonly address: string | undefined;
}

/** The user; of a session without a token its address, because each such session is a user of its own. */
export function limitKeyOf(user: Sender, address: string | undefined): string {
  // A user id never begins with this: tokens with `anonymous:` are refused.
  return isAnonymousId(user.id) ? `anonymous:@${peerAddress(address).group}` : user.id;
}
