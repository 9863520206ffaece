/** Every kind of bad input: its generator, its lane, and its share of a run. */

import * as streams from './event-streams.mjs';
import * as handshakes from './handshakes.mjs';
import * as http from './http.mjs';
import * as frames from './json-frames.mjs';
import * as msgpack from './msgpack-frames.mjs';
import * as pusherApi from './pusher-api.mjs';
import * as pusher from './pusher-frames.mjs';
import * as redis from './redis.mjs';
import * as websocket from './websocket.mjs';

/**
 * @typedef {object} Kind
 * @property {string} name
 * @property {'connection' | 'slow' | 'api' | 'json' | 'msgpack' | 'pusher' | 'redis'} lane `connection`: one connection per input. `slow`: many slow connections. `api`: one connection to the HTTP API per input. `json`, `msgpack`, `pusher`: frames on long sessions. `redis`: PUBLISH
 * @property {number} share weight
 * @property {(random: import('../random.mjs').Random) => object} make
 */

/** @type {readonly Kind[]} */
export const KINDS = [
  { name: 'HTTP: broken or hostile requests', lane: 'connection', share: 45, make: http.brokenHttp },
  { name: 'HTTP: header floods', lane: 'connection', share: 20, make: http.headerFlood },
  { name: 'handshake: cut at any byte', lane: 'connection', share: 30, make: handshakes.cutUpgrade },
  { name: 'handshake: drip by drip', lane: 'slow', share: 20, make: handshakes.slowUpgrade },
  {
    name: 'handshake: refused (tokens, rooms, origins)',
    lane: 'connection',
    share: 60,
    make: handshakes.refusedUpgrade,
  },
  { name: 'handshake: odd upgrade headers', lane: 'connection', share: 20, make: handshakes.oddUpgrade },
  { name: 'WebSocket: violations of RFC 6455', lane: 'connection', share: 30, make: websocket.violation },
  { name: 'WebSocket: text that is not UTF-8', lane: 'connection', share: 20, make: websocket.notUtf8 },
  { name: 'WebSocket: wrong close frames', lane: 'connection', share: 20, make: websocket.badClose },
  { name: 'WebSocket: lengths beyond the bound', lane: 'connection', share: 20, make: websocket.tooLong },
  { name: 'WebSocket: lengths that lie, no mask', lane: 'connection', share: 20, make: websocket.lyingLength },
  { name: 'WebSocket: odd but allowed', lane: 'connection', share: 20, make: websocket.oddButAllowed },
  { name: 'WebSocket: half-open connections', lane: 'connection', share: 30, make: websocket.halfOpen },
  { name: 'SSE: refused requests', lane: 'connection', share: 25, make: streams.refusedStream },
  { name: 'SSE: odd queries and positions', lane: 'connection', share: 25, make: streams.oddStream },
  { name: 'POST: refused messages', lane: 'connection', share: 25, make: streams.refusedPost },
  { name: 'POST: strange messages', lane: 'connection', share: 20, make: streams.oddPost },
  { name: 'POST: lengths that lie', lane: 'connection', share: 15, make: streams.lyingPost },
  { name: 'Pusher: fields of every wrong type', lane: 'pusher', share: 60, make: pusher.strangePusherFrame },
  { name: 'Pusher: wrong signatures', lane: 'pusher', share: 30, make: pusher.wrongSignature },
  { name: 'Pusher: signed nonsense', lane: 'pusher', share: 40, make: pusher.signedNonsense },
  { name: 'Pusher: cut, no frames, too large', lane: 'pusher', share: 30, make: pusher.brokenPusherFrame },
  { name: 'Pusher API: wrong signatures', lane: 'api', share: 20, make: pusherApi.wrongApiSignature },
  { name: 'Pusher API: broken bodies', lane: 'api', share: 20, make: pusherApi.brokenApiBody },
  { name: 'Pusher API: strange requests', lane: 'api', share: 30, make: pusherApi.strangeApiRequest },
  { name: 'JSON: fields of every wrong type', lane: 'json', share: 170, make: frames.strangeJson },
  { name: 'JSON: cut, mutated, no frames', lane: 'json', share: 120, make: frames.brokenJson },
  { name: 'JSON: too deep, too many, too large', lane: 'json', share: 35, make: frames.boundsJson },
  { name: 'JSON: hostile room names', lane: 'json', share: 30, make: frames.roomsJson },
  { name: 'JSON: binary frames', lane: 'json', share: 20, make: frames.binaryOnJson },
  { name: 'MessagePack: fields of every wrong type', lane: 'msgpack', share: 70, make: msgpack.strangeMsgpack },
  { name: 'MessagePack: hostile bytes', lane: 'msgpack', share: 85, make: msgpack.hostileMsgpack },
  { name: 'MessagePack: mutated', lane: 'msgpack', share: 55, make: msgpack.mutatedMsgpack },
  { name: 'MessagePack: too deep, too many, too large', lane: 'msgpack', share: 15, make: msgpack.boundsMsgpack },
  { name: 'MessagePack: hostile room names', lane: 'msgpack', share: 15, make: msgpack.roomsMsgpack },
  { name: 'MessagePack: text frames', lane: 'msgpack', share: 10, make: msgpack.textOnMsgpack },
  { name: 'Redis: malformed messages', lane: 'redis', share: 30, make: redis.malformedMessage },
  { name: 'Redis: strange envelopes', lane: 'redis', share: 20, make: redis.strangeEnvelope },
  { name: 'Redis: tampered envelopes', lane: 'redis', share: 20, make: redis.tamperedEnvelope },
  { name: 'Redis: misplaced controls', lane: 'redis', share: 10, make: redis.misplacedControl },
  { name: "Redis: entries in presence's streams", lane: 'redis', share: 5, make: redis.foreignReport },
];
