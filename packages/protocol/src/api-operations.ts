/** The operations that a key of the HTTP API may be limited to (docs/http-api.md#keys-with-limits). */
export const API_OPERATIONS = ['read', 'publish', 'control', 'revoke', 'tokens', 'explain', 'dead_letters'] as const;

export type ApiOperation = (typeof API_OPERATIONS)[number];
