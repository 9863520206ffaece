/** Finds the token of a request (PROTOCOL.md section 1.2). */

/**
 * Returns `undefined` without a token, and an empty text for an unreadable one, which is refused.
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
  // Not one pattern for all: backtracking over many spaces would block the edge.
  if (!SCHEME.test(authorization)) return undefined;
  const token = authorization.slice(SCHEME_LENGTH);
  if (token !== '' && !token.startsWith(' ')) return '';
  const trimmed = token.trim();
  return WHITE_SPACE.test(trimmed) ? '' : trimmed;
}

const SCHEME = /^Bearer\b/i;
const SCHEME_LENGTH = 'Bearer'.length;
const WHITE_SPACE = /\s/;
