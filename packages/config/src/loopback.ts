/** Which hosts are this machine and no other. */

/** @param host without port; IPv6 with or without brackets */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|\[?::1\]?|127(\.\d{1,3}){3})$/i.test(host);
}

/** Whether nobody on the way can read or change what is sent to this URL: TLS, or this machine. */
export function isProtectedUrl(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || isLoopbackHost(hostname);
}
