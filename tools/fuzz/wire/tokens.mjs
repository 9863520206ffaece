/** Generates valid tokens, signed once, and broken ones of every kind. */
import { createHmac } from 'node:crypto';
import { signToken } from '@hubbub/tools/kit';
import { SECRET } from '../target/target.mjs';

const USERS = 64;
const GOOD = Array.from({ length: USERS }, (_, number) => signToken({ user: `mallory-${number}`, secret: SECRET }));
const HOUR_S = 3600;

/** @param {import('../random.mjs').Random} random */
export function goodToken(random) {
  return random.pick(GOOD);
}

/** Generates a token that an edge must refuse. Its parts are base64url, so that it fits into headers and URLs. */
export function brokenToken(random) {
  return random.pick(BREAKAGES)(random);
}

/** The last one breaks code that reads `length` of any value. */
const NO_NAMES = [7, null, '', {}, [], true, 'x'.repeat(129), { length: { toString: 1, valueOf: 1 } }];

/** Ids that a URL, a channel or a pattern would change. */
const NOT_CARRIED = ['.', '..', '*', 'a*', 'a\u0085', 'a\ud83d', '\udc00a'];

const BREAKAGES = [
  random => random.bytes(random.int(1, 60)).toString('base64url'),
  random => `${random.bytes(9).toString('base64url')}.${random.bytes(30).toString('base64url')}.`,
  random => mutated(goodToken(random), random),
  random => goodToken(random).slice(0, random.int(1, 100)),
  random => `${goodToken(random)}.${goodToken(random)}`,
  random => goodToken(random).replace(/\.[^.]*$/, '.'),
  random => token({ alg: 'none', typ: 'JWT' }, claims(random), () => ''),
  random =>
    token({ alg: random.pick(['RS256', 'ES256', 'HS512', 'hs256', '', 'HS384']) }, claims(random), hs256(SECRET)),
  random => token({ alg: 'HS256' }, claims(random), hs256(random.bytes(20).toString('hex'))),
  random => token({ alg: 'HS256' }, { ...claims(random), exp: 1 }, hs256(SECRET)),
  random => token({ alg: 'HS256' }, { ...claims(random), exp: random.pick(['soon', null, {}, [], '']) }, hs256(SECRET)),
  random => token({ alg: 'HS256' }, { ...claims(random), nbf: 4e9 }, hs256(SECRET)),
  random => token({ alg: 'HS256' }, { ...claims(random), exp: Date.now() + HOUR_S }, hs256(SECRET)),
  random => token({ alg: 'HS256' }, { ...claims(random), sub: random.pick(NOT_CARRIED) }, hs256(SECRET)),
  random => token({ alg: 'HS256' }, { ...claims(random), sub: random.pick(NO_NAMES) }, hs256(SECRET)),
  random =>
    token(
      { alg: 'HS256' },
      { ...claims(random), name: random.pick(NO_NAMES.filter(name => name !== null)) },
      hs256(SECRET),
    ),
  random =>
    token(
      { alg: 'HS256' },
      { ...claims(random), rooms: random.pick([7, 'chat', { a: 7 }, [7], { a: ['fly'] }]) },
      hs256(SECRET),
    ),
  random => token({ alg: 'HS256' }, random.pick([null, 7, 'x', [], [{}]]), hs256(SECRET)),
  random => token(random.pick([null, 7, [], 'x', {}]), claims(random), hs256(SECRET)),
];

function claims(random) {
  return { sub: `mallory-${random.int(0, USERS - 1)}`, exp: Math.floor(Date.now() / 1000) + HOUR_S };
}

function token(header, payload, sign) {
  const signed = `${encoded(header)}.${encoded(payload)}`;
  return `${signed}.${sign(signed)}`;
}

const encoded = value => Buffer.from(JSON.stringify(value)).toString('base64url');
const hs256 = secret => signed => createHmac('sha256', secret).update(signed).digest('base64url');

/** Changes one character of the signed part or the signature; not the last one, because its low bits may be unused. */
function mutated(good, random) {
  const at = random.int(0, good.length - 2);
  const old = good[at];
  const other = random.pick([...'ABCxyz019-_'].filter(letter => letter !== old));
  return good.slice(0, at) + other + good.slice(at + 1);
}
