/** Generates bad frames of the Pusher protocol. A signature needs the id of the socket, so the bytes are made by the session. */
import { createHmac } from 'node:crypto';
import { encodeFrame, OPCODE } from '@hubbub/tools/kit';
import { PUSHER_APP, PUSHER_CHANNELS } from '../target/target.mjs';
import { anything } from './frames.mjs';

const EVENTS = [
  'pusher:subscribe',
  'pusher:unsubscribe',
  'pusher:signin',
  'pusher:ping',
  'pusher:pong',
  'client-event',
];
const STRANGE_EVENTS = [
  '',
  'client-',
  'pusher:',
  'pusher:x',
  'pusher_internal:x',
  '__proto__',
  'join_room',
  'x'.repeat(300),
];
const STRANGE_CHANNELS = [
  ...[
    '',
    ' ',
    '#',
    '#server-to-user-',
    '#server-to-user-a',
    '#server-to-user-\u0000',
    'private-',
    'presence-',
    'cache-',
  ],
  ...[
    'a b',
    'ä',
    '+',
    ':',
    '~2c',
    'private-+',
    ',;'.repeat(100),
    'x'.repeat(200),
    'x'.repeat(201),
    'presence-cache-',
    '__proto__',
  ],
];
const FIELDS = ['channel', 'auth', 'channel_data', 'user_data', '__proto__', 'toString'];

const inFrame = (text, random) => encodeFrame(OPCODE.text, Buffer.from(text), { mask: random.next() });

/** @param {unknown} value of the frame @param {string} [code] that must answer it */
const frame = (value, random, code) => {
  const bytes = inFrame(JSON.stringify(value), random);
  return { bytesFor: () => bytes, code };
};

const anyChannel = random => random.pick(random.chance(0.6) ? PUSHER_CHANNELS : STRANGE_CHANNELS);

/** Events, channels and data of every wrong type; some may be valid by chance. */
export function strangePusherFrame(random) {
  const value = {};
  value.event = random.chance(0.85)
    ? random.pick(EVENTS)
    : random.chance()
      ? random.pick(STRANGE_EVENTS)
      : anything(random, 2);
  if (random.chance(0.5)) value.channel = random.chance(0.8) ? anyChannel(random) : anything(random, 2);
  if (random.chance(0.9)) value.data = random.chance(0.8) ? strangeData(random) : anything(random, 4);
  return frame(value, random);
}

function strangeData(random) {
  const data = {};
  for (let count = random.int(0, 4); count > 0; count--) {
    const field = random.pick(FIELDS);
    const value = field === 'channel' && random.chance(0.8) ? anyChannel(random) : anything(random, 3);
    Object.defineProperty(data, field, { value, enumerable: true, configurable: true, writable: true });
  }
  return data;
}

/** Subscriptions and sign-ins whose signature is wrong: 401 for each. */
export function wrongSignature(random) {
  const { key } = PUSHER_APP;
  const auth = random.pick([
    () => undefined,
    () => random.pick([null, true, 7, [], {}, [key]]),
    () => random.text(100).toWellFormed(), // A lone surrogate makes the whole frame invalid.
    () => `${key}:`,
    () => `${key}:${random.bytes(32).toString('hex')}`,
    () => `${key}:${'0'.repeat(64)}:x`,
    () => `other:${random.bytes(32).toString('hex')}`,
    () => `${key}:${'é'.repeat(64)}`,
    () => key.repeat(random.int(1, 50)),
  ])();
  if (random.chance(0.2)) {
    return frame({ event: 'pusher:signin', data: { auth, user_data: '{"id":"mallory"}' } }, random, '4009');
  }
  const channel = random.pick(PUSHER_CHANNELS.filter(name => name.startsWith('pr')));
  return frame({ event: 'pusher:subscribe', data: { channel, auth, channel_data: '{"user_id":"x"}' } }, random, '401');
}

/** Texts that a back end would have to sign: members and users that are malformed, too large, or too many. */
export function signedNonsense(random) {
  const { key, secret } = PUSHER_APP;
  const signed = text => `${key}:${createHmac('sha256', secret).update(text).digest('hex')}`;
  const mask = random.next();
  const text = random.pick(SIGNED_TEXTS)(random);
  const channel = random.pick(PUSHER_CHANNELS);
  const isSignin = random.chance();
  return {
    bytesFor(socketId) {
      const data = isSignin
        ? { auth: signed(`${socketId}::user::${text}`), user_data: text }
        : { channel, auth: signed(`${socketId}:${channel}:${text}`), channel_data: text };
      const event = isSignin ? 'pusher:signin' : 'pusher:subscribe';
      return encodeFrame(OPCODE.text, Buffer.from(JSON.stringify({ event, data })), { mask });
    },
    code: undefined,
  };
}

const SIGNED_TEXTS = [
  random => JSON.stringify(anything(random, 4)),
  random => JSON.stringify({ user_id: anything(random, 2), user_info: anything(random, 4) }),
  random => JSON.stringify({ id: anything(random, 1), user_info: anything(random, 3), watchlist: anything(random, 3) }),
  random => JSON.stringify({ id: `user-${random.int(1, 20)}`, watchlist: strangeList(random) }),
  random => JSON.stringify({ user_id: random.pick(['x', 7, '', '*', 'a\u0000', 'ä'.repeat(64), '\ud800', '.', '..']) }),
  random => JSON.stringify({ user_id: 'x', user_info: { name: 'x'.repeat(random.int(900, 1500)) } }),
  random => JSON.stringify({ user_id: 'x' }).slice(0, random.int(0, 14)),
  () => '[{'.repeat(500),
  random => random.text(100).toWellFormed(),
];

function strangeList(random) {
  return Array.from({ length: random.pick([0, 1, 5, 99, 100, 101, 150]) }, (_, n) =>
    random.chance(0.95) ? `u${n % random.int(1, 120)}` : anything(random, 1),
  );
}

/** JSON that is cut, text that is not a frame, and binary frames. */
export function brokenPusherFrame(random) {
  const text = JSON.stringify({ event: 'pusher:subscribe', data: { channel: 'victims', auth: random.text(30) } });
  const broken = random.pick([
    () => text.slice(0, random.int(0, text.length - 1)),
    () => random.pick(['', 'null', '[]', '7', '"x"', '{}', '{"event":7}', '{"event":null}', '{event:"x"}']),
    () => '[{'.repeat(random.int(1, 1500)),
    () => JSON.stringify({ event: 'x'.repeat(random.int(4096, 20_000)) }),
  ])();
  const bytes = inFrame(broken, random);
  return { bytesFor: () => bytes, code: 'null' };
}
