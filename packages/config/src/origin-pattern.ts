/** The grammar of `allowedOrigins`, and the origins that an entry matches. */

/** Entries that are not patterns: any origin, and the origin of pages without one (files, sandboxes). */
const ANY = '*';
const OPAQUE = 'null';

/** scheme, `*.` or nothing, host, port. IPv6 is in brackets; other scripts than ASCII as browsers send them, in Punycode. */
const PATTERN = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?((?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', ws: '80', https: '443', wss: '443' };
/** One label or more before the domain. */
const SUBDOMAINS = /^(?:[a-z0-9_-]+\.)+$/;

interface OriginPattern {
  readonly scheme: string;
  readonly anySubdomain: boolean;
  readonly host: string;
  /** Empty where it is the scheme's own. */
  readonly port: string;
}

/** Describes the problem of an entry, or returns `undefined`. */
export function originPatternProblem(entry: string): string | undefined {
  if (entry === ANY || entry === OPAQUE || parse(entry) !== undefined) return undefined;
  return `"${entry}": expected an origin like https://example.com or https://*.example.com:8443, without a path, in ASCII; or null, or * for all`;
}

/**
 * Whether an `Origin` header is on the list. Schemes and hosts are compared without case, ports as they are in effect.
 * `https://*.example.com` stands for every depth of subdomains and never for `example.com`; `null` only for itself.
 *
 * @param entries each without {@link originPatternProblem}
 * @example originMatcher(['https://*.example.com'])('https://a.b.example.com') === true
 */
export function originMatcher(entries: readonly string[]): (origin: string) => boolean {
  if (entries.includes(ANY)) return () => true;
  const patterns = entries.flatMap(entry => parse(entry) ?? []);
  const exact = new Set(patterns.filter(({ anySubdomain }) => !anySubdomain).map(asText));
  const wildcards = patterns.filter(({ anySubdomain }) => anySubdomain);
  return origin => {
    if (origin === OPAQUE) return entries.includes(OPAQUE);
    const parsed = parse(origin);
    if (parsed === undefined || parsed.anySubdomain) return false;
    return exact.has(asText(parsed)) || wildcards.some(pattern => stands(pattern, parsed));
  };
}

function stands({ scheme, host, port }: OriginPattern, origin: OriginPattern): boolean {
  if (origin.scheme !== scheme || origin.port !== port || !origin.host.endsWith(`.${host}`)) return false;
  return SUBDOMAINS.test(origin.host.slice(0, -host.length));
}

function parse(text: string): OriginPattern | undefined {
  const [, scheme, wildcard, host, port = ''] = PATTERN.exec(text.toLowerCase()) ?? [];
  if (scheme === undefined || host === undefined || Number(port) > 65_535) return undefined;
  if (wildcard !== undefined && host.startsWith('[')) return undefined;
  return { scheme, anySubdomain: wildcard !== undefined, host, port: DEFAULT_PORTS[scheme] === port ? '' : port };
}

function asText({ scheme, host, port }: OriginPattern): string {
  return `${scheme}://${host}:${port}`;
}
