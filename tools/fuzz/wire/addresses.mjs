/**
 * Source addresses of connections. One address has about 28,000 ports, and each stays in use for a minute after its connection
 * ended, so a long run needs many addresses. Only Linux has all of 127.0.0.0/8 without configuration.
 */

const ADDRESSES = 200;

/** @param {number} number of the connection @returns {string | undefined} */
export function sourceAddress(number) {
  if (process.platform !== 'linux') return undefined;
  return `127.9.${Math.floor((number % ADDRESSES) / 100)}.${1 + (number % 100)}`;
}
