/** IP addresses in one spelling, and the part of them that limits count by. */
import { isIPv4, isIPv6 } from 'node:net';

export interface IpAddress {
  /** RFC 5952; an IPv4 address that came as ::ffff:… is IPv4. */
  readonly text: string;
  /** The address; of IPv6 its /64, which is what one customer gets (RFC 6177). */
  readonly group: string;
  readonly family: 'ipv4' | 'ipv6';
}

const GROUPS = 8;
const GROUPS_OF_A_NETWORK = 4;
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** `undefined` for what is none. @example parseIpAddress('2001:DB8:0:0::1')?.text === '2001:db8::1' */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { text, group: text, family: 'ipv4' };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [, high, low] = MAPPED.exec(canonical) ?? [];
  if (high !== undefined && low !== undefined) {
    const bits = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
    const mapped = [24, 16, 8, 0].map(shift => (bits >>> shift) & 255).join('.');
    return { text: mapped, group: mapped, family: 'ipv4' };
  }
  return { text: canonical, group: networkOf(canonical), family: 'ipv6' };
}

/** @example networkOf('2001:db8::1') === '2001:db8:0:0::/64' */
function networkOf(canonical: string): string {
  const [before = '', after] = canonical.split('::');
  const first = before === '' ? [] : before.split(':');
  const last = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? 0 : GROUPS - first.length - last.length;
  const groups = [...first, ...Array<string>(zeros).fill('0'), ...last];
  return `${groups.slice(0, GROUPS_OF_A_NETWORK).join(':')}::/64`;
}
