/** Generates upgrade requests that are cut, slow, odd, or must be refused. */

import { requestBytes, upgradeLines } from '@hubbub/tools/kit';
import { brokenToken, goodToken } from '../wire/tokens.mjs';

/** A valid request that ends at any byte, by FIN or reset, immediately or after a pause. */
export function cutUpgrade(random) {
  const whole = goodUpgrade(random);
  return {
    parts: [{ bytes: whole.subarray(0, random.int(0, whole.length - 1)) }],
    ending: random.pick(['fin', 'reset']),
    expect: 'no-101',
    lingerMs: random.pick([0, 0, 1, 5, 20]),
  };
}

/** A valid request in many small pieces: the edge must admit it. */
export function slowUpgrade(random) {
  const whole = goodUpgrade(random);
  const pieces = random.int(3, 40);
  const parts = [];
  for (let i = 0; i < pieces; i++) {
    const from = Math.floor((whole.length * i) / pieces);
    const to = Math.floor((whole.length * (i + 1)) / pieces);
    if (to > from) parts.push({ bytes: whole.subarray(from, to), afterMs: random.int(1, 25) });
  }
  return { parts, expect: 'status', statuses: [101], ending: random.pick(['fin', 'reset']) };
}

function goodUpgrade(random) {
  const token = goodToken(random);
  const shape = random.int(0, 2);
  if (shape === 0) return requestBytes(upgradeLines({ headers: [`Authorization: Bearer ${token}`] }));
  if (shape === 1) return requestBytes(upgradeLines({ path: `/rooms/victims/ws?token=${token}` }));
  return requestBytes(upgradeLines({ headers: [`Sec-WebSocket-Protocol: hubbub.v1.msgpack, bearer.${token}`] }));
}

/** Whole upgrade requests that PROTOCOL.md section 1 refuses, with the status of each. */
export function refusedUpgrade(random) {
  const { path, headers = [], status } = random.pick(REFUSALS)(random);
  return { parts: [{ bytes: requestBytes(upgradeLines({ path, headers })) }], expect: 'status', statuses: [status] };
}

const bearer = token => `Authorization: Bearer ${token}`;
/** Parts of a path that do not name rooms. */
export const BAD_PATH_ROOMS = [
  '-a',
  ':a',
  '%20',
  'a%7Db',
  'a%7Bb',
  '%00',
  'a%2Fb',
  '%',
  '%zz',
  '%C3%A4',
  '%FF',
  'x'.repeat(256),
  'a%0A',
  '%F0%9F%98%80',
  '..%2f',
  'a,b',
];

/** Repetitions that make a backtracking pattern slow. */
const REPEATED = ['a', '.', 'a.', '-', '_', '%20', '%2E', '+', ','];

/** Headers up to the size limit, with an end that matches no pattern. */
function longHeader(random) {
  const repeat = unit => unit.repeat(Math.floor(random.int(500, 3000) / unit.length));
  return random.pick([
    () => `Authorization: Bearer${repeat(' ')}x y`,
    () => `Authorization: Bearer ${repeat(random.pick(['a', 'a.', '.', 'a ', '\t']))}!`,
    () => `Sec-WebSocket-Protocol: ${repeat(random.pick([',', ' ,', 'e.', 'ey.a.', 'bearer.,']))}!`,
  ])();
}

const REFUSALS = [
  random => ({ headers: [bearer(brokenToken(random))], status: 401 }),
  random => ({ headers: [bearer(brokenToken(random))], path: '/rooms/victims/ws', status: 401 }),
  random => ({ headers: [`Sec-WebSocket-Protocol: hubbub.v1.json, bearer.${brokenToken(random)}`], status: 401 }),
  random => ({ path: `/ws?token=${brokenToken(random)}`, status: 401 }),
  random => ({ path: `/ws?token=${random.pick(['', '%', '%00', '%zz', 'a%2Eb%2Ec', '..', 'null'])}`, status: 401 }),
  () => ({ status: 401 }),
  random => ({
    headers: [`Authorization: ${random.pick(['Bearer', 'Basic YTpi', 'Bearer a b', 'bearer', 'Token x'])}`],
    status: 401,
  }),
  random => ({ headers: [longHeader(random)], status: 401 }),
  random => ({ path: `/ws?token=${random.pick(REPEATED).repeat(random.int(100, 600))}`, status: 401 }),
  random => ({ headers: [bearer(goodToken(random)), bearer(brokenToken(random))], status: 400 }),
  random => ({ headers: [bearer(goodToken(random))], path: `/rooms/${random.pick(BAD_PATH_ROOMS)}/ws`, status: 400 }),
  random => ({ headers: [bearer(goodToken(random))], path: `/rooms/secret:${random.int(1, 99)}/ws`, status: 403 }),
  random => ({
    headers: [
      bearer(goodToken(random)),
      `Origin: ${random.pick(['null', 'https://evil.example', 'x', 'https://allowed.example.evil'])}`,
    ],
    status: 403,
  }),
];

/** Upgrades that RFC 6455 section 4.2 forbids, or with duplicate headers; engines differ in what they accept. */
export function oddUpgrade(random) {
  const lines = upgradeLines({ headers: [bearer(goodToken(random))] });
  for (let changes = random.int(1, 3); changes > 0; changes--) {
    const at = random.int(1, lines.length - 1);
    random.pick([
      () => lines.splice(at, 1),
      () => lines.splice(at, 0, lines[at]),
      () => {
        lines[at] = `${lines[at].split(':')[0]}: ${random.text(40).replace(/[\r\n]/g, '')}`;
      },
      () =>
        lines.push(
          `Sec-WebSocket-Extensions: ${random.pick(['permessage-deflate; server_max_window_bits=99', 'x'.repeat(900), ';;;,,,', 'permessage-deflate; client_max_window_bits', 'permessage-deflate,'.repeat(30)])}`,
        ),
      () =>
        lines.push(
          `Sec-WebSocket-Protocol: ${random.pick([',,,', 'a'.repeat(1500), 'hubbub.v1.json,'.repeat(40), '\u0001', 'hubbub.v1.json\thubbub.v1.msgpack'])}`,
        ),
      () => lines.push(`Sec-WebSocket-Key: ${random.bytes(random.int(0, 40)).toString('base64')}`),
      () => lines.push('Sec-WebSocket-Version: 8'),
    ])();
  }
  return { parts: [{ bytes: requestBytes(lines) }], expect: 'any', lingerMs: random.int(2, 15) };
}
