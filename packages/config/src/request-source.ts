/**
 * Decides by `Host` and `Origin` which requests a port answers. In development a port serves this machine. A foreign page
 * could reach it through the developer's browser, by a name that resolves to 127.0.0.1 (DNS rebinding).
 */
import { isIP } from 'node:net';
import { isLoopbackHost } from './loopback.js';
import { originMatcher } from './origin-pattern.js';
import type { Settings } from './settings/settings.js';

export type SourceSettings = Pick<Settings, 'allowedHosts' | 'allowedOrigins' | 'host' | 'adminHost' | 'apiHost'> & {
  readonly production: boolean;
};

export interface RequestSources {
  /**
   * Returns why requests to this host are refused, or `undefined` if they are not.
   * @param host the header, with or without port; empty if it is missing, which never happens in a browser
   */
  hostProblem(host: string): string | undefined;
  /** @param origin the header, not empty */
  isOriginAllowed(origin: string, host: string): boolean;
}

const HOST_REFUSED =
  'This host is not allowed. In development the ports answer to localhost and IP addresses; HUBBUB_ALLOWED_HOSTS names others.';
export const ORIGIN_REFUSED =
  'This origin may not connect. In development pages of this machine may; HUBBUB_ALLOWED_ORIGINS names others.';

/** @example createRequestSources({ ...loadConfig({}) }).hostProblem('evil.example:8080') !== undefined */
export function createRequestSources(settings: SourceSettings): RequestSources {
  const { production, allowedHosts, allowedOrigins } = settings;
  const listed = allowedOrigins && originMatcher(allowedOrigins);
  const isHostAllowed = hostCheck(settings);
  return {
    hostProblem: host => (isHostAllowed(host) ? undefined : HOST_REFUSED),
    isOriginAllowed(origin, host) {
      if (listed !== undefined) return listed(origin);
      if (production) return false;
      const page = hostnameOf(origin.replace(/^https?:\/\//i, ''));
      // A page of a site that is not this machine has the name of its site; that of an opaque origin has none.
      return /^https?:\/\//i.test(origin) && (isThisMachine(page) || (page !== '' && page === hostnameOf(host)));
    },
  };

  function hostCheck({ host, adminHost, apiHost }: SourceSettings): (host: string) => boolean {
    if (allowedHosts === undefined ? production : allowedHosts.includes('*')) return () => true;
    const names = new Set([host, adminHost, apiHost, ...(allowedHosts ?? [])].map(name => name.toLowerCase()));
    return header => {
      const name = hostnameOf(header);
      // An address was not looked up: no foreign name leads to it.
      return header === '' || isThisMachine(name) || isIP(name) !== 0 || names.has(name);
    };
  }
}

function isThisMachine(name: string): boolean {
  return isLoopbackHost(name) || name.endsWith('.localhost');
}

/** Without port, brackets and the dot of the root; empty if it is malformed. */
function hostnameOf(host: string): string {
  const [, ipv6, name] = /^(?:\[([0-9a-f:.]+)\]|([^:/?#@[\]]+))(?::\d*)?$/i.exec(host) ?? [];
  return (ipv6 ?? name ?? '').toLowerCase().replace(/\.$/, '');
}
