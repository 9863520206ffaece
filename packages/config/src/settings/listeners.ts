/** Addresses that the processes listen on, and the proxies that they trust about the client's address. */
import { originPatternProblem } from '../origin-pattern.js';
import { flag, host, integer, isNetwork, list, nonEmpty, port, text } from './fields.js';

/** Mozilla's intermediate list (guidelines 5.7) without DHE, which the engine does not speak. */
const FORWARD_SECRET_SUITES = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].flatMap(cipher => [
  `ECDHE-ECDSA-${cipher}`,
  `ECDHE-RSA-${cipher}`,
]);

export const listenerSettings = {
  port: port.default(8080).describe('Port for clients; 0 takes a free port.'),
  host: host.default('127.0.0.1').describe('Address that the client port binds to.'),
  sharedPort: flag()
    .default(false)
    .describe(
      'Lets other processes listen on the same port (SO_REUSEPORT); the kernel spreads the connections. `--workers` sets it.',
    ),
  adminPort: port.default(8081).describe('Port for /healthz, /readyz and /metrics; 0 takes a free port.'),
  adminHost: host.default('127.0.0.1').describe('Address that the admin port binds to.'),
  // Clients resolve the segments . and .. before they ask.
  basePath: text(/^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)*$/, 'a path like /api, or nothing')
    .default('')
    .describe('Path prefix of /ws and /rooms.'),
  tlsCertFile: nonEmpty('a path such as /etc/hubbub/tls.crt')
    .optional()
    .describe(
      'Certificate chain (PEM) of the client port, which then uses TLS. Needs tlsKeyFile. SIGHUP reloads both files.',
    ),
  tlsKeyFile: nonEmpty('a path such as /etc/hubbub/tls.key').optional().describe('Private key (PEM) of tlsCertFile.'),
  tlsCiphers: text(/^[A-Za-z0-9_+:!@=-]+$/, 'cipher suites of TLS 1.2, such as ECDHE-RSA-AES128-GCM-SHA256')
    .default(FORWARD_SECRET_SUITES.join(':'))
    .describe('Cipher suites of TLS 1.2 in OpenSSL notation, best first. TLS 1.3 always uses its own three suites.'),
  trustedProxies: list('networks like 10.0.0.0/8 or addresses', isNetwork)
    .default([])
    .describe(
      'Trusted proxies: the client is the last address in X-Forwarded-For that is not one of them. Empty: ignores the header.',
    ),
  trustedHops: integer(0, 10)
    .default(0)
    .describe(
      'Number of proxies before the edge, each of which adds an address to X-Forwarded-For. Use it instead of trustedProxies.',
    ),
  allowedHosts: list('host names such as hub.test, without ports', name =>
    /^(\*|[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?)$/.test(name),
  )
    .optional()
    .describe(
      '`Host` names besides localhost and IP addresses; * allows all. Unset: no more in development, all in production.',
    ),
  allowedOrigins: list('origins like https://example.com')
    .superRefine((entries, context) => {
      for (const entry of entries) {
        const problem = originPatternProblem(entry);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      }
    })
    .optional()
    .describe(
      'Browser origins: https://*.example.com (subdomains only), null, or *. Unset: this machine in development, else none.',
    ),
};
