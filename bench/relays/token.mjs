/** Signs the members' tokens (HS256) without a library: a thousand of them before each measurement. */
import { createHmac } from 'node:crypto';

const HEADER = encode({ alg: 'HS256', typ: 'JWT' });
const TTL_S = 3600;

/** @param {string} secret @param {string} user @returns {string} */
export function signToken(secret, user) {
  const now = Math.floor(Date.now() / 1000);
  const signed = `${HEADER}.${encode({ sub: user, name: user, iat: now, exp: now + TTL_S })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
