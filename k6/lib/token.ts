/** Signs tokens (HS256) as a back end would. */
import crypto from 'k6/crypto';
import encoding from 'k6/encoding';

const TTL_S = 86_400;
const HEADER = encode({ alg: 'HS256', typ: 'JWT' });

export function signToken(secret: string, user: string): string {
  const now = Math.floor(Date.now() / 1000);
  const signed = `${HEADER}.${encode({ sub: user, name: user, rooms: ['*'], iat: now, exp: now + TTL_S })}`;
  return `${signed}.${crypto.hmac('sha256', secret, signed, 'base64rawurl')}`;
}

function encode(value: object): string {
  return encoding.b64encode(JSON.stringify(value), 'rawurl');
}
