/**
 * Generates malformed messages for Redis, as a broken service or an intruder might send them.
 * They go to the channels of rooms, users, nodes and broadcasts, and to presence's streams.
 */
import { BYSTANDER_ROOM, NODE_ID, PUSHER_ROOMS, VICTIM_ROOMS } from '../target/target.mjs';
import { anything, strangeFrame } from './frames.mjs';

const PARTITIONS = 16;
/** Names of controls. Those on the bystanders' channels are malformed, so that the edge does not disconnect the bystanders. */
const CONTROLS = [
  'close_room',
  'remove_user',
  'disconnect_user',
  'refuse_sessions',
  'fly',
  'constructor',
  '__proto__',
  '',
];

/** Together all channels of the edge. Messages on the bystanders' channels must be malformed. */
const bystandersChannel = random =>
  random.pick([`room:{${BYSTANDER_ROOM}}`, 'broadcast', `node:{${NODE_ID}}`, 'user:{bystander-0}']);
const victimsChannel = random => `room:{${random.pick([...VICTIM_ROOMS, ...PUSHER_ROOMS])}}`;
const anyChannel = random => (random.chance() ? bystandersChannel(random) : victimsChannel(random));

const publish = (channel, message, isMalformed = false) => ({ channel, message, isMalformed });

/** Malformed plain messages: the edge must count each as malformed. */
export function malformedMessage(random) {
  return publish(anyChannel(random), random.pick(MALFORMED)(random), true);
}

const MALFORMED = [
  random => Buffer.concat([Buffer.from([0xff]), random.bytes(random.int(0, 2000))]),
  random =>
    Buffer.from(
      random.pick([
        '',
        '{',
        'null',
        '[]',
        '7',
        '"x"',
        '{}',
        '{"type":7}',
        '{"type":"Not A Type"}',
        '{"payload":{}}',
        '{"type":"x","payload":[]}',
        '{"type":"x","payload":"y"}',
      ]),
    ),
  random =>
    Buffer.from(
      JSON.stringify({
        type: 'x',
        [random.pick(['payload', 'id', 'sender', 'timestamp', 'key'])]: random.pick([7, true, [], null]),
      }),
    ),
  random => Buffer.from(JSON.stringify({ type: 'build.finished', payload: {} }).slice(0, random.int(0, 40))),
  random => Buffer.from(`{"type":"x","payload":${'{"a":'.repeat(random.int(64, 5000))}1`),
  random =>
    Buffer.from(`{"type":"x","payload":{"a":${'['.repeat(70)}${']'.repeat(70)}}}`.concat(' '.repeat(random.int(0, 5)))),
  () => Buffer.from('{"type":"x","payload":{"__proto__":{"a":1}}}'),
  random =>
    Buffer.from(
      JSON.stringify({ type: `hubbub.${random.pick(['fly', 'close_rooms', 'constructor', 'disconnect_users', ''])}` }),
    ),
  random =>
    Buffer.from(
      JSON.stringify({
        type: 'hubbub.remove_user',
        payload: random.pick([
          {},
          { user: '' },
          { user: 7 },
          { user: 'x'.repeat(129) },
          { user: 'a', reason: 'x'.repeat(124) },
        ]),
      }),
    ),
  // Envelopes without a mark for the body, or with an invalid header.
  random =>
    Buffer.concat([Buffer.from([1]), Buffer.from('{"e":"j","t":1}'), Buffer.from('{'.repeat(random.int(0, 9)))]),
  random =>
    envelope(
      random.pick([
        '',
        'null',
        '[]',
        '"j"',
        '{"e":"j"}',
        '{"t":1}',
        '{"e":"x","t":1}',
        '{"e":"j","t":"1"}',
        '{"e":"j","t":1',
        '{"e":"j","t":1,"x":2}',
        '{"e":"j","t":1,"s":"s1"}',
        '{"e":"j","t":1,"s":[1]}',
        '{"e":"j","t":1,"o":1}',
        '{"e":"j","t":1,"o":-1,"h":"a"}',
        '{"e":"j","t":1,"c":{"do":"fly"}}',
        '{"e":"j","t":1,"k":7}',
      ]),
      '{"type":"x"}',
    ),
];

/** Envelopes with strange headers over garbage bodies. Only for the victims: the edge forwards the bodies without parsing. */
export function strangeEnvelope(random) {
  const header = { e: random.pick(['j', 'm']), t: random.pick([Date.now(), 0, 1, 2 ** 53]) };
  const strange = {
    x: anything(random, 0),
    s: [random.text(5)],
    r: random.text(10),
    p: random.int(-5, 1e9),
    k: random.text(8),
    o: random.int(1, 1e6),
    h: random.text(8),
    c: { do: random.pick(CONTROLS), user: random.text(5) },
  };
  for (const [name, value] of Object.entries(strange))
    if (random.chance(0.2)) header[name] = random.chance(0.8) ? value : anything(random, 2);
  if (header.o !== undefined && random.chance(0.9)) header.h ??= 'epoch';
  const body = random.pick([
    () => random.bytes(random.int(0, 500)),
    () => Buffer.from(JSON.stringify(strangeFrame(random))),
    () => Buffer.from('{"'.concat(random.text(40))),
    () => Buffer.from([0x81 + random.int(0, 14), ...random.bytes(random.int(0, 60))]),
    () => Buffer.alloc(0),
  ])();
  return publish(victimsChannel(random), envelope(JSON.stringify(header), body));
}

/** Envelopes with changed bytes in the header, on every channel; their bodies stay valid. */
export function tamperedEnvelope(random) {
  const header = Buffer.from(
    JSON.stringify({ e: 'j', t: 1_700_000_000_000, x: 'a.1', s: ['a.1', 'b.2'], r: 'victims', k: 'k1' }),
  );
  for (let changes = random.int(1, 4); changes > 0; changes--)
    header[random.int(0, header.length - 1)] = random.int(3, 255);
  return publish(anyChannel(random), envelope(header, '{"type":"tampered"}'));
}

/** Controls on wrong channels or with wrong fields, as plain messages and in envelopes. */
export function misplacedControl(random) {
  const action = random.pick(CONTROLS.slice(3));
  const control = { do: action, reason: random.chance(0.5) ? random.text(200) : anything(random, 1) };
  return random.chance()
    ? publish(anyChannel(random), envelope(JSON.stringify({ e: 'j', t: 1, c: control }), ''))
    : publish(
        anyChannel(random),
        Buffer.from(JSON.stringify({ type: `hubbub.${action}`, payload: anything(random, 2) })),
      );
}

/** Entries in presence's streams that do not come from an edge. */
export function foreignReport(random) {
  const text = random.pick([
    () => random.text(200),
    () => JSON.stringify(anything(random, 4)),
    () =>
      JSON.stringify([
        1,
        `${NODE_ID}/x`,
        ...Array.from({ length: random.int(0, 5) }, () => [
          random.pick([...'jldsrcqexz']),
          ...Array.from({ length: random.int(0, 6) }, () => anything(random, 1)),
        ]),
      ]),
  ])();
  return { stream: `presence:{p${random.int(0, PARTITIONS - 1)}}:reports`, field: random.pick(['b', 'x', '']), text };
}

function envelope(header, body) {
  return Buffer.concat([Buffer.from([1]), Buffer.from(header), Buffer.from([2]), Buffer.from(body)]);
}
