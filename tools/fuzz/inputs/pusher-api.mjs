/** Generates bad requests of the Pusher HTTP API: wrong signatures, and right ones of broken bodies and strange fields. */
import { createHash, createHmac } from 'node:crypto';
import { requestBytes } from '@hubbub/tools/kit';
import { PUSHER_APP, PUSHER_CHANNELS } from '../target/target.mjs';
import { anything } from './frames.mjs';

const BASE = `/apps/${PUSHER_APP.id}`;
const GOOD_EVENT = '{"name":"e","channels":["victims"],"data":"{}"}';

/** @param {object} change `sign` changes the parameters before the signature is made, `tamper` after it */
function signedRequest(method, path, { body = '', query = {}, headers = [], sign, tamper } = {}) {
  const { key, secret } = PUSHER_APP;
  const bytes = Buffer.from(body);
  let params = { auth_key: key, auth_timestamp: String(Math.floor(Date.now() / 1000)), auth_version: '1.0', ...query };
  if (bytes.length > 0) params.body_md5 = createHash('md5').update(bytes).digest('hex');
  params = sign?.(params) ?? params;
  const sorted = Object.keys(params)
    .map(name => [name.toLowerCase(), params[name]])
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  params.auth_signature = createHmac('sha256', secret).update(`${method}\n${path}\n${sorted}`).digest('hex');
  params = tamper?.(params) ?? params;
  const encoded = Object.entries(params).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const length = method === 'POST' ? [`Content-Length: ${bytes.length}`] : [];
  const lines = [`${method} ${path}?${encoded.join('&')} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close'];
  return Buffer.concat([requestBytes([...lines, ...headers, ...length]), bytes]);
}

const answered = (bytes, ...statuses) => ({
  parts: [{ bytes }],
  expect: 'answer',
  ...(statuses.length > 0 && { statuses }),
});

/** Requests that are not signed, or not so: 401, and 404 for apps that there are not. */
export function wrongApiSignature(random) {
  const path = random.pick([`${BASE}/events`, `${BASE}/batch_events`, `${BASE}/users/x/terminate_connections`]);
  const name = random.pick(['auth_key', 'auth_timestamp', 'auth_version', 'body_md5', 'auth_signature']);
  const strange = random.pick(['', '0', '-1', 'NaN', '1e99', '9'.repeat(300), 'x', random.text(40).toWellFormed()]);
  return random.pick([
    () => answered(signedRequest('POST', path, { body: GOOD_EVENT, tamper: ({ [name]: _, ...rest }) => rest }), 401),
    () =>
      answered(signedRequest('POST', path, { body: GOOD_EVENT, tamper: all => ({ ...all, [name]: strange }) }), 401),
    () => answered(signedRequest('POST', path, { body: GOOD_EVENT, tamper: all => ({ ...all, extra: 'x' }) }), 401),
    () =>
      answered(signedRequest('POST', path, { body: GOOD_EVENT, sign: all => ({ ...all, auth_timestamp: '1' }) }), 401),
    () => answered(Buffer.from(`GET ${BASE}/channels HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`), 401),
    () =>
      answered(
        signedRequest('POST', `/apps/${random.pick(['x', '__proto__', '%00', 'a'.repeat(90)])}/events`, {
          body: GOOD_EVENT,
        }),
        404,
      ),
  ])();
}

/** Signed bodies without a valid event: 400, and 413 for data that is too large. */
export function brokenApiBody(random) {
  const path = random.pick([`${BASE}/events`, `${BASE}/batch_events`]);
  const body = random.pick([
    () => '',
    () => GOOD_EVENT.slice(0, random.int(1, GOOD_EVENT.length - 1)),
    () => '[{'.repeat(random.int(1, 3000)),
    () => random.pick(['null', '[]', '7', '"x"', '{}', '{"batch":7}', '{"batch":[7]}', '{"name":7}', '{"name":"e"}']),
    () => Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from('"}')]),
    () => random.bytes(random.int(1, 500)),
    () => JSON.stringify({ name: 'x'.repeat(201), channels: ['victims'], data: '' }),
    () => JSON.stringify({ name: 'e', channels: Array(101).fill('victims'), data: '' }),
  ])();
  if (random.chance(0.1)) {
    const large = JSON.stringify({ name: 'e', channel: 'victims', data: 'x'.repeat(random.int(10_241, 40_000)) });
    return answered(signedRequest('POST', `${BASE}/events`, { body: large }), 413);
  }
  const headers = [`Content-Type: ${random.pick(['application/json', 'text/plain', 'x/y; charset=z'])}`];
  return answered(signedRequest('POST', path, { body, headers }), 400);
}

/** Signed requests with strange fields and names: executed, or refused. */
export function strangeApiRequest(random) {
  return answered(random.pick(STRANGE_REQUESTS)(random));
}

const channel = random =>
  random.pick([...PUSHER_CHANNELS, '', 'a b', '#server-to-user-x', ',;'.repeat(90), 'x'.repeat(201), '__proto__', 'ä']);
const info = random =>
  random.pick([
    '',
    'user_count',
    'subscription_count',
    'cache',
    'user_count,subscription_count,cache',
    ',,,',
    '__proto__',
  ]);
/** A valid event of which one or two fields are strange: the others do not hide them. */
function event(random) {
  const fields = { name: 'e', channel: random.pick(PUSHER_CHANNELS), data: '{}' };
  for (let changes = random.int(1, 2); changes > 0; changes--) {
    const [name, strange] = random.pick(STRANGE_FIELDS);
    fields[name] = random.chance(0.5) ? anything(random, 2) : strange(random);
  }
  return fields;
}

const STRANGE_FIELDS = [
  ['name', random => random.text(20)],
  ['channel', channel],
  ['channels', random => [channel(random), channel(random), anything(random, 1)].slice(0, random.int(0, 3))],
  ['data', random => random.text(200)],
  ['socket_id', random => random.pick(['1.2', '1', '', 'a.b', 7, null, '9'.repeat(30), {}])],
  ['info', info],
];

const STRANGE_REQUESTS = [
  random => signedRequest('POST', `${BASE}/events`, { body: JSON.stringify(event(random)) }),
  random =>
    signedRequest('POST', `${BASE}/batch_events`, {
      body: JSON.stringify({ batch: Array.from({ length: random.int(0, 12) }, () => event(random)) }),
    }),
  random =>
    signedRequest('GET', `${BASE}/channels`, { query: { filter_by_prefix: channel(random), info: info(random) } }),
  random =>
    signedRequest('GET', `${BASE}/channels/${encodeURIComponent(channel(random))}`, { query: { info: info(random) } }),
  random => signedRequest('GET', `${BASE}/channels/${encodeURIComponent(channel(random))}/users`),
  random =>
    signedRequest(
      'POST',
      `${BASE}/users/${random.pick(['x', '%00', '%', '%zz', '..', 'a'.repeat(90), '%C3%A4'])}/terminate_connections`,
      {
        body: random.pick(['', '{}', 'x']),
      },
    ),
];
