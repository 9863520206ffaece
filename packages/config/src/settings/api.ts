/** The HTTP interface for back ends that have no Redis access (`hubbub api`). */
import { apiKeyList } from './api-keys.js';
import { baseUrl, flag, host, integer, MINUTE_MS, port, SECRET } from './fields.js';

export const apiSettings = {
  apiPort: port.default(8082).describe('Port of the HTTP API for back ends (hubbub api); 0 takes a free port.'),
  apiHost: host.default('127.0.0.1').describe('Address that the port of the HTTP API binds to.'),
  apiKeys: apiKeyList
    .default([])
    .meta(SECRET)
    .describe(
      'Keys of back ends at the HTTP API, or named keys with limits (docs/http-api.md). Empty: only the description is open.',
    ),
  apiTokens: flag()
    .default(false)
    .describe('Lets every holder of an API key mint tokens for any user, signed with jwtSecret.'),
  apiMaxBodyBytes: integer(1024, 67_108_864)
    .default(1_048_576)
    .describe('Maximum size of a request body at the HTTP API; a larger body gets 413.'),
  apiMaxRequests: integer(1, 100_000)
    .default(256)
    .describe('Maximum number of requests in flight at the HTTP API; further requests get 429.'),
  apiRequestTimeoutMs: integer(100, 10 * MINUTE_MS)
    .default(10_000)
    .describe('Time in which a request must arrive completely at the HTTP API; later it gets 408.'),
  consolePort: port.default(8083).describe('Port of the console (hubbub console); 0 takes a free port.'),
  consoleHost: host.default('127.0.0.1').describe('Address that the port of the console binds to.'),
  consoleApiUrl: baseUrl('http://127.0.0.1:8082')
    .default('http://127.0.0.1:8082')
    .describe('Address of the HTTP API that the console asks, with the key of its user.'),
};
