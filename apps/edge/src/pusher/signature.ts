/** Signatures that clients bring from their back end: `<key>:<HMAC-SHA256 of a text with the app's secret>`. */
import type { PusherApp } from '@hubbub/config';
import { HubbubError } from '@hubbub/protocol';
import { isHmacSha256Hex } from '@hubbub/runtime';

/** @throws {HubbubError} `UNAUTHORIZED` */
export function assertSigned({ key, secret }: PusherApp, auth: unknown, text: string): void {
  const [offeredKey, signature = '', ...rest] = typeof auth === 'string' ? auth.split(':') : [];
  const isOurs = offeredKey === key && rest.length === 0;
  if (isOurs && isHmacSha256Hex(signature, secret, text)) return;
  throw new HubbubError('UNAUTHORIZED', isOurs ? `auth: expected the signature of ${shortened(text)}.` : KEY_EXPECTED);
}

const KEY_EXPECTED = "auth: expected the app's key, a colon and a signature.";
const SHOWN_MAX_LENGTH = 300;

function shortened(text: string): string {
  return text.length > SHOWN_MAX_LENGTH ? `${text.slice(0, SHOWN_MAX_LENGTH)}…` : text;
}
