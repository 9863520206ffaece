/** The token that a request brings, and where it stands (PROTOCOL.md section 1). */

export interface TokenPlaces {
  /** The header, empty where there is none. */
  readonly authorization: string;
  /** From the offered subprotocols. */
  readonly subprotocolToken: string | undefined;
  /** `token` of the query. */
  readonly queryToken: string | undefined;
}

/** `undefined` when there is none; empty when there is one that nobody can read: that is not the same. */
export function presentedToken({ authorization, subprotocolToken, queryToken }: TokenPlaces): string | undefined {
  return bearer(authorization) ?? subprotocolToken ?? queryToken;
}

/** Another scheme than Bearer is for somebody else, such as a proxy. */
function bearer(authorization: string): string | undefined {
  const [, token] = /^Bearer(?: +(\S*))? *$/i.exec(authorization) ?? [];
  return /^Bearer\b/i.test(authorization) ? (token ?? '') : undefined;
}
