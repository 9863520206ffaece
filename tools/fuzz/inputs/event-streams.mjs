/** Generates requests for server-sent events and posted messages: refused, odd, or with broken bodies (PROTOCOL.md section 10). */
import { requestBytes } from '@hubbub/tools/kit';
import { VICTIM_ROOMS } from '../target/target.mjs';
import { brokenToken, goodToken } from '../wire/tokens.mjs';
import { anything, hostileRoom } from './frames.mjs';
import { BAD_PATH_ROOMS } from './handshakes.mjs';

const bearer = token => `Authorization: Bearer ${token}`;

function request(line, headers, body) {
  const length = body === undefined ? [] : [`Content-Length: ${body.length}`];
  const head = requestBytes([`${line} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, ...length]);
  return body === undefined ? head : Buffer.concat([head, body]);
}

const answered = (bytes, ...statuses) => ({
  parts: [{ bytes }],
  expect: 'answer',
  ...(statuses.length > 0 && { statuses }),
});

/** Requests for events that must be refused, with the status of each. */
export function refusedStream(random) {
  return random.pick(REFUSED_STREAMS)(random);
}

const REFUSED_STREAMS = [
  random => answered(request(`GET ${anyStream(random)}`, [bearer(brokenToken(random))]), 401),
  random => answered(request(`GET /events?token=${brokenToken(random)}`, []), 401),
  random => answered(request(`GET ${anyStream(random)}`, []), 401),
  random => answered(request(`GET /rooms/${random.pick(BAD_PATH_ROOMS)}/events`, [bearer(goodToken(random))]), 400),
  random => {
    const { room_id: room } = hostileRoom(random).value.payload;
    const name = typeof room === 'string' ? encodeURIComponent(room.toWellFormed()) : '%00';
    return answered(request(`GET /events?room=${name}`, [bearer(goodToken(random))]), 400);
  },
  random => answered(request(`GET /rooms/secret:${random.int(1, 99)}/events`, [bearer(goodToken(random))]), 403),
  random =>
    answered(request(`GET ${anyStream(random)}`, [bearer(goodToken(random)), 'Origin: https://evil.example']), 403),
];

/** Requests for events with strange queries and positions: a stream, or a refusal. */
export function oddStream(random) {
  const query = Array.from({ length: random.int(0, 25) }, () => {
    const name = random.pick([
      'room',
      'room_token',
      'token',
      'presence',
      'last_event_id',
      '',
      '%',
      'a%00',
      'room%5B%5D',
    ]);
    return `${name}=${random.pick(QUERY_VALUES)(random)}`;
  }).join(random.pick(['&', '&&', ';']));
  const headers = [bearer(goodToken(random))];
  if (random.chance()) headers.push(`Last-Event-ID: ${random.pick(QUERY_VALUES)(random)}`);
  if (random.chance(0.2)) headers.push(`Accept: ${random.pick(['*/*', 'text/event-stream', 'x', ','])}`);
  return answered(request(`GET ${anyStream(random)}?${query}`, headers));
}

const QUERY_VALUES = [
  () => '',
  random => random.pick(VICTIM_ROOMS),
  random => random.pick(BAD_PATH_ROOMS),
  random => random.pick(['true', 'TRUE', '1', 'null', '%', '%zz', '%ed%a0%80', '+', 'a'.repeat(1000)]),
  random =>
    random.pick([':', 'e:', ':1', 'e:-1', 'e:1e99', 'e:1.5', 'e:1,', ',,,', 'e:1,f:2', '%25zz:1', '%:1', 'e:01']),
  random => `${random.bytes(random.int(0, 40)).toString('base64url')}:${random.int(0, 2 ** 31 - 1)}`,
];

function anyStream(random) {
  return random.chance(0.3) ? '/events' : `/rooms/${random.pick(VICTIM_ROOMS)}/events`;
}

/** Messages that must be refused, with the status of each. */
export function refusedPost(random) {
  return random.pick(REFUSED_POSTS)(random);
}

const post = (random, body, { room = random.pick(VICTIM_ROOMS), token = goodToken(random), headers = [] } = {}) =>
  request(`POST /rooms/${room}/messages`, [bearer(token), ...headers], Buffer.from(body));
const GOOD_BODY = '{"payload":{"a":1}}';

const REFUSED_POSTS = [
  random => answered(post(random, GOOD_BODY, { token: brokenToken(random) }), 401),
  random => answered(post(random, GOOD_BODY, { room: random.pick(BAD_PATH_ROOMS) }), 400),
  random => answered(post(random, GOOD_BODY, { room: `secret:${random.int(1, 99)}` }), 403),
  random => answered(post(random, GOOD_BODY.slice(0, random.int(0, GOOD_BODY.length - 1))), 400),
  random => answered(post(random, '[{'.repeat(random.int(1, 1000))), 400),
  random => answered(post(random, Buffer.concat([Buffer.from('{"payload":{"a":"'), Buffer.from([0xff, 0xc0])])), 400),
  random =>
    answered(post(random, random.pick(['null', '[]', '7', '"x"', '{}', '{"payload":null}', '{"payload":[]}'])), 400),
  random => answered(post(random, `{"payload":{},"${random.pick(['type', 'room', 'id', '', 'sender'])}":1}`), 400),
  random =>
    answered(
      post(random, `{"payload":{},"message_id":${random.pick(['7', '""', '[]', '{}', `"${'i'.repeat(65)}"`])}}`),
      400,
    ),
  random => answered(post(random, JSON.stringify({ payload: { text: 'x'.repeat(random.int(4096, 20_000)) } })), 413),
];

/** Messages with strange payloads and headers: published, or refused. */
export function oddPost(random) {
  const body = JSON.stringify({
    payload: anything(random, 4),
    ...(random.chance() && { message_id: anything(random, 1) }),
  });
  const headers = [
    `Content-Type: ${random.pick(['application/json', 'text/plain', 'x', ';;;', 'multipart/form-data'])}`,
  ];
  if (random.chance(0.2))
    headers.push(random.pick(['Expect: 100-continue', 'Content-Encoding: gzip', 'Connection: close']));
  return answered(post(random, body, { headers }));
}

/** Bodies whose length is wrong, or that do not end: the connection ends without an answer, or with a refusal. */
export function lyingPost(random) {
  const body = Buffer.from(GOOD_BODY);
  const length = random.pick(['0', '1', '18', '4000', '99999999999999999999', '-1', 'x', '19, 19', '']);
  const framing = random.pick([
    () => [`Content-Length: ${length}`],
    () => ['Transfer-Encoding: chunked'],
    () => [`Content-Length: ${length}`, `Content-Length: ${random.int(0, 50)}`],
    () => [`Content-Length: ${length}`, 'Transfer-Encoding: chunked'],
  ])();
  const head = requestBytes([
    `POST /rooms/${random.pick(VICTIM_ROOMS)}/messages HTTP/1.1`,
    'Host: 127.0.0.1',
    bearer(goodToken(random)),
    ...framing,
  ]);
  const parts = [{ bytes: head }, { bytes: body.subarray(0, random.int(0, body.length)), afterMs: random.int(0, 5) }];
  return { parts, ending: random.pick(['fin', 'reset']), expect: 'no-101', lingerMs: random.int(0, 60) };
}
