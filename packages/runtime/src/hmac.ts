/** Signatures of the Pusher protocol and others like it: HMAC-SHA256, in hexadecimal digits. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export function hmacSha256Hex(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** Whether `signature` is that of the text. Its duration reveals nothing. */
export function isHmacSha256Hex(signature: string, secret: string, text: string): boolean {
  return timingSafeEqual(digest(signature), digest(hmacSha256Hex(secret, text)));
}

/** Of equal length, whatever was offered. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
