/** Connections of the fuzzer: their source addresses, their sessions, and the handshake that they expect. */
import { createHash } from 'node:crypto';
import { encodeFrame, OPCODE, RawSocket, WEBSOCKET_KEY } from '@hubbub/tools/kit';

/** The server's correct response to the key of `upgradeLines`. */
export const ACCEPT = createHash('sha1')
  .update(`${WEBSOCKET_KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64');

const ADDRESSES = 200;

/**
 * Source addresses of connections. One address has about 28,000 ports, and each stays in use for a minute after its connection
 * ended, so a long run needs many addresses. Only Linux has all of 127.0.0.0/8 without configuration.
 * @param {number} number of the connection @returns {string | undefined}
 */
export function sourceAddress(number) {
  if (process.platform !== 'linux') return undefined;
  return `127.9.${Math.floor((number % ADDRESSES) / 100)}.${1 + (number % 100)}`;
}

/**
 * Opens a session of Hubbub, as `openSocket` with its token and encoding.
 * @param {object} options
 * @param {string} options.token @param {'json' | 'msgpack'} options.encoding
 */
export function openSession({ token, encoding, ...options }) {
  return openSocket({ ...options, headers: sessionHeaders(token, encoding) });
}

/**
 * Opens a WebSocket.
 * @param {object} options
 * @param {number} options.port @param {string} [options.path] @param {Record<string, string>} options.headers @param {string} [options.localAddress]
 * @param {(payload: Buffer, opcode: number) => void} options.onFrame data frames, the welcome first; the bytes are valid until it returns
 * @param {(why: string) => void} options.onEnd once, unless the fuzzer ended it
 */
export function openSocket({ onFrame, ...options }) {
  return new RawSocket({
    ...options,
    onData: (bytes, start, length, opcode) => onFrame(bytes.subarray(start, start + length), opcode),
  });
}

/** @param {string} token @param {'json' | 'msgpack'} encoding */
export function sessionHeaders(token, encoding) {
  return { Authorization: `Bearer ${token}`, 'Sec-WebSocket-Protocol': `hubbub.v1.${encoding}` };
}

/** @param {number} code @param {Buffer | string} [reason] */
export function closeFrame(code, reason = '', wrong = {}) {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code & 0xffff);
  return encodeFrame(OPCODE.close, payload, wrong);
}
