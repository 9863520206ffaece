/** Every parser of bytes from outside: clients, proxies, back ends, services, and who writes the configuration. */

import { keyOf } from '../../apps/api/src/idempotency.js';
import { FIELD_CODES, messageFields } from '../../apps/api/src/routes/fields.js';

import { answerSchema } from '../../apps/edge/src/admission/authorizer/question.js';
import { parseKeySet } from '../../apps/edge/src/admission/keys/key-set.js';
import { openTokenKeys } from '../../apps/edge/src/admission/keys/token-keys.js';
import { presentedToken } from '../../apps/edge/src/admission/presented-token.js';
import { withoutTokens } from '../../apps/edge/src/admission/refusal-log.js';
import { tokenRights } from '../../apps/edge/src/admission/rights.js';
import { createTokenVerifier } from '../../apps/edge/src/admission/token.js';
import { parseIpAddress } from '../../apps/edge/src/limits/limit-key.js';
import { createClientAddresses } from '../../apps/edge/src/listener/client-address.js';
import { roomRoutes } from '../../apps/edge/src/listener/room-paths.js';
import { readServiceMessage } from '../../apps/edge/src/rooms/service-message.js';
import { harmless } from '../../apps/hubbub/src/printing.js';
import { decodeMember } from '../../apps/presence/src/partition/row-codec.js';
import { decodeCursor } from '../../apps/presence/src/registry-view.js';
import { parseEventFields } from '../../packages/broker/src/event-fields.js';
import { socketUrl } from '../../packages/client/src/options.js';
import { TokenSource } from '../../packages/client/src/token.js';
import { readFrame } from '../../packages/client/src/wire.js';
import { withoutCredentials } from '../../packages/config/src/described-settings.js';
import { loadConfig } from '../../packages/config/src/load-config.js';
import { originMatcher, originPatternProblem } from '../../packages/config/src/origin-pattern.js';
import { roomPathsSchema } from '../../packages/config/src/room-paths.js';
import { parseClientFrame } from '../../packages/protocol/src/client-frame.js';
import {
  Channels,
  chooseSubprotocol,
  decodeEnvelope,
  decodeReports,
  isFrameType,
  isRoomName,
  jsonCodec,
  payloadProblem,
  readLifecycleFields,
  roomPrefix,
  spliceRoom,
  toJsonValue,
} from '../../packages/protocol/src/index.js';
import { msgpackCodec } from '../../packages/protocol/src/msgpack-codec.js';
import { parsePlainMessage } from '../../packages/protocol/src/service-message.js';
import { createKeyCheck, unlimitedKey } from '../../packages/runtime/src/http/api-key.js';
import { parse } from '../../packages/runtime/src/http/described-routes.js';
import { createLogger, createMetricsRegistry } from '../../packages/runtime/src/index.js';
import { createPresenceQueries } from '../../packages/server/src/presence.js';
import { decodeTailedMessage } from '../../packages/server/src/tailed-message.js';
import { jwt } from '../support/jwt.js';

export interface Parser {
  /** Precedes the hostile text, so that the parser does not stop at its first byte. */
  readonly before?: string;
  readonly parse: (text: string) => unknown;
}

const log = createLogger({ level: 'silent', process: 'test', nodeId: 'test' });
const BOUNDS = { max_payload_depth: 64, max_payload_keys: 100_000 };
const SECRET = 'the-secret-of-this-test-has-more-than-64-bytes-so-that-it-is-enough-for-HS512';

const keys = openTokenKeys(
  {
    production: false,
    jwtSecret: SECRET,
    jwtAcceptedSecrets: [],
    jwtSecretAlgorithm: 'HS256',
    jwtPublicKeyFiles: [],
    jwtRsaAlgorithm: 'RS256',
    jwtJwksRefreshMs: 600_000,
    jwtJwksMaxAgeMs: 86_400_000,
    jwtLeewayMs: 5000,
    jwtAllowWithoutExp: false,
  },
  { log, metrics: createMetricsRegistry() },
);
const verifyToken = createTokenVerifier(keys.verifyClaims);
const TOKEN = jwt({ alg: 'HS256', key: SECRET, claims: { sub: 'a' } });

const proxied = { trustedProxies: ['10.0.0.0/8'], onMalformed: () => {} };
const behindProxies = createClientAddresses({ ...proxied, trustedHops: 0 });
const behindHops = createClientAddresses({ ...proxied, trustedProxies: [], trustedHops: 2 });
const PEER = { text: '10.0.0.1', group: '10.0.0.1', family: 'ipv4' } as const;

const isAllowedOrigin = originMatcher(['https://example.com', 'https://*.example.com:8443']);
const hasApiKey = createKeyCheck([unlimitedKey('one', 'a-key'), unlimitedKey('two', 'another')]);
const [roomPath] = roomRoutes([]);
const [pairPath] = roomRoutes([
  {
    path: '/p/{project}/{session}',
    names: ['project', 'session'],
    room: [{ text: 'p:' }, { name: 'project' }, { text: '.' }, { name: 'session' }],
  },
]).slice(1);
const channels = new Channels('test');

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const inText = (text: string): string => JSON.stringify(text);

/** A MessagePack text of 32-bit length, with the bytes as they come. */
function msgpackText(text: string): Uint8Array {
  const content = bytes(text);
  const head = Buffer.alloc(5);
  head[0] = 0xdb;
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

export const PARSERS: Readonly<Record<string, Parser>> = {
  // Before authentication, on the public port.
  'Authorization of a handshake': { before: 'Bearer', parse: text => presentedToken(text, undefined, undefined) },
  'Authorization of a handshake, behind a space': {
    before: 'Bearer ',
    parse: text => presentedToken(text, undefined, undefined),
  },
  'another Authorization': { parse: text => presentedToken(text, undefined, undefined) },
  'offered subprotocols': { parse: chooseSubprotocol },
  'a bare token among subprotocols': { before: 'eyJ', parse: chooseSubprotocol },
  'a query': { before: 'token=', parse: text => new URLSearchParams(text).get('token') },
  'a segment of a path': { parse: text => roomPath?.read(() => text) },
  'two segments of a path': { parse: text => pairPath?.read(() => text) },
  'X-Forwarded-For behind proxies': { before: '10.0.0.1,', parse: text => behindProxies.clientOf(PEER, () => text) },
  'X-Forwarded-For with a port': { before: '1.2.3.4:', parse: text => behindProxies.clientOf(PEER, () => text) },
  'X-Forwarded-For in brackets': { before: '[', parse: text => behindProxies.clientOf(PEER, () => text) },
  'X-Forwarded-For by hops': { parse: text => behindHops.clientOf(PEER, () => text) },
  'an IP address': { before: '::', parse: parseIpAddress },
  'an Origin': { before: 'https://', parse: isAllowedOrigin },
  'an Origin with a port': { before: 'https://a:', parse: isAllowedOrigin },
  'an Origin without a scheme': { parse: isAllowedOrigin },
  // Tokens.
  'the header of a token': { parse: verifyToken },
  'a header of a token that is JSON': {
    parse: text => verifyToken(`${Buffer.from(`{"alg":${inText(text)}}`).toString('base64url')}.e30.c2ln`),
  },
  'a signature': { before: `${TOKEN.slice(0, TOKEN.lastIndexOf('.'))}.`, parse: verifyToken },
  'the claims of a forged token': { before: `${TOKEN.slice(0, TOKEN.indexOf('.'))}.`, parse: verifyToken },
  'the claim name': {
    parse: text => verifyToken(jwt({ alg: 'HS256', key: SECRET, claims: { sub: 'a', name: text } })),
  },
  'the claim sub': { parse: text => verifyToken(jwt({ alg: 'HS256', key: SECRET, claims: { sub: text } })) },
  'a pattern of rooms': {
    before: 'chat:',
    parse: text => tokenRights([text, `${text}*`], {}).allows('chat:1', 'join'),
  },
  'a key set': { before: '{"keys":', parse: text => parseKeySet(text, 'RS256') },
  'an error that may quote a token': { parse: withoutTokens },
  // Frames, envelopes, service messages.
  'a JSON frame': { parse: text => parseClientFrame(jsonCodec.decode(bytes(text))) },
  'a JSON text': { parse: text => jsonCodec.decode(bytes(inText(text))) },
  'an escaped JSON text': { before: '"\\ud83d\\ude00', parse: text => jsonCodec.decode(bytes(`${text}"`)) },
  'the fields of a JSON frame': {
    parse: text => parseClientFrame(jsonCodec.decode(bytes(JSON.stringify({ type: text, room: text, id: text })))),
  },
  'many items of a payload': {
    parse: text =>
      payloadProblem(
        Array.from(text, () => ({})),
        BOUNDS,
      ),
  },
  'a MessagePack frame': { parse: text => parseClientFrame(msgpackCodec.decode(bytes(text))) },
  'a MessagePack text': { parse: text => msgpackCodec.decode(msgpackText(text)) },
  'a MessagePack binary for JSON': { parse: text => toJsonValue({ value: bytes(text) }) },
  'a type of a frame': { before: 'a', parse: isFrameType },
  'a room name': { before: 'a', parse: isRoomName },
  'a channel': { before: 'test:room:{', parse: text => channels.parse(text) },
  'an envelope': { before: '\x01', parse: text => decodeEnvelope(bytes(text)) },
  'a header of an envelope': {
    parse: text => decodeEnvelope(bytes(`\x01${JSON.stringify({ e: 'j', t: 1, x: text, u: text })}\x02{}`)),
  },
  'a body of an envelope': {
    before: '{',
    parse: text => spliceRoom('json', roomPrefix('json', 'a'), bytes(text), { epoch: 'e', offset: 7 }),
  },
  'a message of a service': { parse: text => readServiceMessage(bytes(text), true) },
  'the fields of a message of a service': {
    parse: text =>
      parsePlainMessage({
        ...{ type: text, id: text, key: text, timestamp: text, exclude_user: text, exclude_session: text },
        ...{ sender: { id: text, name: text }, sessions: [text], payload: { [text]: text } },
      }),
  },
  'a batch of reports': { before: '[1,"edge-1/a",', parse: decodeReports },
  'a name in a report': {
    parse: text => decodeReports(JSON.stringify([1, 'edge-1/a', ['j', 'general', 's.1', text, text, 0, text]])),
  },
  'a member of the registry': { before: '[0,', parse: text => decodeMember('u1', text) },
  'a client event in a stream': {
    parse: text => parseEventFields(new Map(['type', 'payload', 'user', 'rooms', 'at'].map(field => [field, text]))),
  },
  'a lifecycle event': { parse: text => readLifecycleFields({ event: 'user_online', user: text, at: text }) },
  'an answer of the authorizer': { parse: text => answerSchema.safeParse({ allow: false, reason: text }) },
  // The HTTP interfaces of back ends.
  'an API key': { before: 'Bearer ', parse: hasApiKey },
  'an API key without a scheme': { parse: hasApiKey },
  'Idempotency-Key': { before: '"', parse: text => keyOf(text, undefined) },
  'Idempotency-Key without quotes': { parse: text => keyOf(text, text) },
  'the fields of a message over HTTP': {
    parse: text =>
      Object.entries(messageFields).map(([name, schema]) => {
        try {
          return parse(schema, text, name, FIELD_CODES);
        } catch (error) {
          return error;
        }
      }),
  },
  'a cursor': { before: '1.', parse: decodeCursor },
  // Texts that only operators and applications write.
  'an allowed origin': { before: 'https://', parse: originPatternProblem },
  'the template of a path': { before: '/', parse: text => roomPathsSchema.safeParse({ [text]: 'chat:{a}' }) },
  'the template of a room': { before: 'a', parse: text => roomPathsSchema.safeParse({ '/{a}/ws': text }) },
  'a list in the environment': { parse: text => loadConfig({ HUBBUB_ALLOWED_ORIGINS: text }) },
  'a URL in the environment': { before: 'redis://', parse: text => loadConfig({ HUBBUB_REDIS_URL: text }) },
  'a URL in a log': { before: 'redis://', parse: withoutCredentials },
  'the URL of presence': {
    before: 'http://a/',
    parse: text => createPresenceQueries({ url: text, apiKey: 'a', timeoutMs: 1 }),
  },
  'a URL of a client': { before: 'ws://a/', parse: socketUrl },
  'a token of a client': { before: 'eyJ', parse: text => new TokenSource(text).next() },
  'a frame that a client gets': { before: '{"type":"a",', parse: text => readFrame(jsonCodec, text) },
  'a message in tail': { parse: text => decodeTailedMessage({ kind: 'room', room: 'a' }, bytes(text)) },
  'a text in a terminal': { parse: harmless },
};

const UNITS = [
  ...[' ', 'a', '0', '.', ',', ':', '/', '"', '\\', '[', '{', '%', '-', '*', '@', '\xf0', '\x93', '\n'],
  ...['a.', 'a,', ' ,', '\\"', '\\ud', '%41', '{"a":', '[1,', '{a}', '10.0.0.1,', 'a: '],
];

/** Texts of one piece again and again, each as long as it is asked to be, by the piece. */
export const SHAPES: ReadonlyArray<readonly [name: string, textOf: (length: number) => string]> = UNITS.map(unit => [
  inText(unit),
  length => unit.repeat(Math.ceil(length / unit.length)),
]);

/** Endings of the repetition: nothing, or a text at which a pattern fails and begins again. */
export const ENDINGS = ['', 'x y\n!'];
