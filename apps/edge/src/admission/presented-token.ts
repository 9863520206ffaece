/** The token that a request brings, and where it stands (PROTOCOL.md section 1). */

/**
 * `undefined` when there is none; empty when there is one that nobody can read: that is not the same.
 *
 * @param authorization the header, empty where there is none
 * @param fromSubprotocols of the offered subprotocols @param fromQuery `token` of the query
 */
export function presentedToken(
  authorization: string,
  fromSubprotocols: string | undefined,
  fromQuery: string | undefined,
): string | undefined {
  return bearer(authorization) ?? fromSubprotocols ?? fromQuery;
}

/** Another scheme than Bearer is for somebody else, such as a proxy. */
function bearer(authorization: string): string | undefined {
  if (authorization === '') return undefined;
  const [, token] = /^Bearer(?: +(\S*))? *$/i.exec(authorization) ?? [];
  return /^Bearer\b/i.test(authorization) ? (token ?? '') : undefined;
}
