/** Generates broken and hostile HTTP requests for the public port; none may become a WebSocket. */

import { requestBytes, upgradeLines } from '@hubbub/tools/kit';
import { goodToken } from '../wire/tokens.mjs';

const METHODS = [
  'GET',
  'get',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'HEAD',
  'CONNECT',
  'TRACE',
  'PRI',
  'G E T',
  '',
  '\0',
  'GET\tGET',
  'X'.repeat(500),
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/0.9',
  'HTTP/9.9',
  'http/1.1',
  'HTTP/',
  'HTTP/1.1 HTTP/1.1',
  '',
  'ICY',
  'HTTP/1.1\0',
];
const PATHS = [
  '/',
  '/ws/',
  '//ws',
  '/ws/../ws',
  '/rooms//ws',
  '/rooms/a/b/ws',
  '*',
  '',
  'ws',
  'http://a/ws',
  '/%',
  '/%00',
  '/rooms/%zz/ws',
  '/ws/online',
  '/ws/online?a=%',
  '/\0',
  '/ws#a',
  '/?token=x&token=y',
];
const ENDINGS = ['\r\n', '\n', '\r', '\n\r', '\r\r\n', '\0'];

/** The edge must not answer 101. Whether it answers at all depends on the position of the error. */
export function brokenHttp(random) {
  return { parts: [{ bytes: random.pick(SHAPES)(random) }], expect: 'no-101', lingerMs: random.int(0, 60) };
}

const SHAPES = [
  random => requestWith({ method: random.pick(METHODS) }, random),
  random => requestWith({ version: random.pick(VERSIONS.slice(1)) }, random),
  random => requestWith({ path: random.pick(PATHS) }, random),
  random => requestWith({ path: `/${random.text(300)}` }, random),
  random => requestWith({ path: `/rooms/${escapes(random)}/ws?token=${escapes(random)}` }, random),
  random => requestWith({ ending: random.pick(ENDINGS.slice(1)) }, random),
  random => requestWith({ headers: hostileHeaders(random) }, random),
  random => requestWith({ headers: [`Host: ${random.text(50)}`, 'Host: again'] }, random),
  random =>
    Buffer.concat([
      requestWith({ method: 'POST', headers: bodyHeaders(random) }, random),
      random.bytes(random.int(0, 3000)),
    ]),
  random =>
    Buffer.concat([requestWith({ method: 'POST', headers: ['Transfer-Encoding: chunked'] }, random), chunks(random)]),
  random =>
    Buffer.concat(Array.from({ length: random.int(2, 8) }, () => requestWith({ path: random.pick(PATHS) }, random))),
  random => random.bytes(random.int(1, 2000)),
  random => Buffer.from(random.text(800)),
  () => Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]), // TLS to a port without TLS.
  () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  () => Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /ws/online HTTP/1.1\r\nHost: a\r\n\r\n'),
];

function requestWith(
  { method = 'GET', path = '/ws/online', version = 'HTTP/1.1', headers = [], ending = '\r\n' },
  random,
) {
  const host = random.chance(0.9) ? ['Host: 127.0.0.1'] : [];
  return Buffer.from([`${method} ${path} ${version}`, ...host, ...headers].join(ending) + ending + ending);
}

function escapes(random) {
  return Array.from({ length: random.int(1, 20) }, () =>
    random.pick(['%', '%2', '%00', '%2F', '%c3%28', '%25', '%u0041', 'a', '%E2%82', '%ff']),
  ).join('');
}

function hostileHeaders(random) {
  return Array.from({ length: random.int(1, 10) }, () =>
    random.pick([
      () => `${random.text(20)}: ${random.text(40)}`,
      () => random.text(30),
      () => ': empty name',
      () => 'No-Colon',
      () => ' leading: space',
      () => `a${'\0'.repeat(random.int(1, 5))}b: c`,
      () => 'Content-Length: 5, 6',
      () =>
        `Content-Length: ${random.pick(['-1', '99999999999999999999', '0x10', '1e3', ' ', '+5', '18446744073709551617'])}`,
      () => 'Transfer-Encoding: gzip, chunked',
      () => 'Expect: 100-continue',
      () => 'Connection: close, Upgrade, keep-alive',
    ])(),
  );
}

function bodyHeaders(random) {
  const lengths = Array.from({ length: random.int(1, 3) }, () => `Content-Length: ${random.int(0, 4000)}`);
  return random.chance(0.2) ? [...lengths, 'Transfer-Encoding: chunked'] : lengths;
}

function chunks(random) {
  const sizes = ['0', '5', 'ffffffff', 'ffffffffffffffff', '-1', 'zz', '', '5;a=b', '00000000000000000000005'];
  return Buffer.from(Array.from({ length: random.int(1, 5) }, () => `${random.pick(sizes)}\r\nhello\r\n`).join(''));
}

/** Heads that are too large, have too many fields, or do not end: the edge answers 431 or closes the connection. */
export function headerFlood(random) {
  const shape = random.int(0, 3);
  const lines = upgradeLines({ headers: [`Authorization: Bearer ${goodToken(random)}`] });
  if (shape === 0)
    lines.push(...Array.from({ length: random.int(150, 900) }, (_, i) => `X-${i}: ${'y'.repeat(random.int(20, 60))}`));
  if (shape === 1) lines.push(`X-Large: ${'y'.repeat(random.int(5000, 60_000))}`);
  if (shape === 2) lines[0] = `GET /ws?${'a'.repeat(random.int(5000, 40_000))} HTTP/1.1`;
  const whole = requestBytes(lines);
  if (shape < 3) return { parts: [{ bytes: whole }], expect: 'refused' };
  // An endless head: field after field, in pieces.
  const piece = Buffer.from(Array.from({ length: 40 }, (_, i) => `X-${i}: ${'y'.repeat(30)}\r\n`).join(''));
  const parts = Array.from({ length: random.int(4, 10) }, () => ({ bytes: piece, afterMs: 1 }));
  return { parts: [{ bytes: whole.subarray(0, -2) }, ...parts], expect: 'refused' };
}
