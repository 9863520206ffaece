/** Resolves the name of a receiver for one connection, and refuses addresses that the rule does not permit. */
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { AddressRule } from './addresses.js';
import { DeliveryFailure } from './delivery-failure.js';

/**
 * A `lookup` of `net.connect`. The socket connects to what it returns, so the name cannot mean another address afterwards. The
 * addresses that are not permitted are left out.
 */
export function permittedLookup(isPermitted: AddressRule, resolve: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '');
      const addresses = found.filter(({ address }) => isPermitted(address));
      const [first] = addresses;
      if (first === undefined) return callback(forbidden(hostname), '');
      if (options.all === true) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

/** An address in the URL is never looked up. @throws {DeliveryFailure} */
export function checkLiteral(url: URL, isPermitted: AddressRule): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPermitted(host)) throw forbidden(host);
}

function forbidden(host: string): DeliveryFailure {
  const message = `${host} has no permitted address; HUBBUB_WEBHOOK_ALLOWED_NETWORKS permits private networks`;
  return new DeliveryFailure('forbidden_address', message);
}
