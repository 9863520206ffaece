/** Which hosts are this machine and no other. */

/** @param host without port; IPv6 with or without brackets */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|\[?::1\]?|127(\.\d{1,3}){3})$/i.test(host);
}

/** Whether traffic to this URL cannot be read or changed on the way: TLS, or this machine. */
export function isProtectedUrl(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || isLoopbackHost(hostname);
}
