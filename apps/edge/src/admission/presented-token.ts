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
  // No pattern over the whole: the spaces of one that fails would be tried in every place, and the edge would wait for it.
  if (!SCHEME.test(authorization)) return undefined;
  const token = authorization.slice(SCHEME_LENGTH);
  if (token !== '' && !token.startsWith(' ')) return '';
  const trimmed = token.trim();
  return WHITE_SPACE.test(trimmed) ? '' : trimmed;
}

const SCHEME = /^Bearer\b/i;
const SCHEME_LENGTH = 'Bearer'.length;
const WHITE_SPACE = /\s/;
