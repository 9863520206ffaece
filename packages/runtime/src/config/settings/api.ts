/** The HTTP interface for back ends that have no Redis access (`hubbub api`). */
import { flag, host, integer, isHeaderText, list, MINUTE_MS, port, SECRET } from './fields.js';

/** What openssl rand -hex 24 makes, shortened. */
export const API_KEYS = 'API keys such as 5f1c9a0e7b3d2468 (visible ASCII characters)';

export const apiSettings = {
  apiPort: port.default(8082).describe('Port of the HTTP interface for back ends (hubbub api); 0 takes a free one.'),
  apiHost: host.default('127.0.0.1').describe('Address that the port for back ends is bound to.'),
  apiKeys: list(API_KEYS, isHeaderText)
    .default([])
    .meta(SECRET)
    .describe('Keys that open the HTTP interface for back ends. None: it is closed.'),
  apiTokens: flag()
    .default(false)
    .describe('Whether who has one of apiKeys may have tokens minted, for every user, with jwtSecret.'),
  apiMaxBodyBytes: integer(1024, 67_108_864)
    .default(1_048_576)
    .describe('Size of the body of a request to the HTTP interface for back ends; above it 413.'),
  apiMaxRequests: integer(1, 100_000)
    .default(256)
    .describe('Requests to the HTTP interface for back ends that may be under way; above it 429.'),
  apiRequestTimeoutMs: integer(100, 10 * MINUTE_MS)
    .default(10_000)
    .describe('A request to the HTTP interface for back ends that has not come in whole after so long ends with 408.'),
};
