/** Signs the members' tokens (HS256) without a library: thousands of them before each measurement. */
import { createHmac } from 'node:crypto';

/** Shared by all relays that check tokens. */
export const SECRET = 'a-secret-of-the-benchmark-of-32-bytes-and-more';
const HEADER = encode({ alg: 'HS256', typ: 'JWT' });
const TTL_S = 3600;

/** @param {number} member @returns {Record<string, string>} headers of its upgrade request */
export function bearer(member) {
  return { Authorization: `Bearer ${signToken(`member-${member}`)}` };
}

/** @param {string} user @param {string} [secret] of edges with another secret @returns {string} */
export function signToken(user, secret = SECRET) {
  const now = Math.floor(Date.now() / 1000);
  const signed = `${HEADER}.${encode({ sub: user, name: user, iat: now, exp: now + TTL_S })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
