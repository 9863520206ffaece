/** The addresses of a service and its edges for other devices, such as phones. */
import { networkInterfaces } from 'node:os';

const ALL_INTERFACES = ['0.0.0.0', '::'];
const THIS_MACHINE = /^(127\.|localhost$|::1$)/;

/** The host for other devices; `undefined` if the service listens for this machine only. */
export function networkHost(listenHost: string, interfaces = networkInterfaces()): string | undefined {
  if (THIS_MACHINE.test(listenHost)) return undefined;
  if (!ALL_INTERFACES.includes(listenHost)) return listenHost;
  const addresses = Object.values(interfaces).flatMap(each => each ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

/** The addresses for a page. A page that came over the network cannot reach edges as `127.0.0.1`. */
export function addressesFor(
  page: { readonly hostname: string; readonly port: number | null },
  edges: readonly string[],
  host: string | undefined,
): { readonly edges: readonly string[]; readonly networkUrl?: string } {
  if (host === undefined) return { edges };
  return {
    edges: edges.map(edge => edge.replace('//127.0.0.1:', `//${page.hostname}:`)),
    networkUrl: `http://${host}${page.port === null ? '' : `:${page.port}`}`,
  };
}
