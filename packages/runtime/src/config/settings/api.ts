/** The HTTP interface for back ends that have no Redis access (`hubbub api`). */
import { z } from 'zod';
import { flag, integer, list, MINUTE_MS, port, SECRET } from './fields.js';

export const apiSettings = {
  apiPort: port.default(8082).describe('Port of the HTTP interface for back ends (hubbub api); 0 takes a free one.'),
  apiHost: z.string().min(1).default('127.0.0.1').describe('Address that the port for back ends is bound to.'),
  apiKeys: list('API keys')
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
