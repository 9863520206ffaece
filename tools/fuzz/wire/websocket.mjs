/** Writes the client's side of RFC 6455 without a library, so that every bit of it can be wrong. */
import { createHash, randomBytes } from 'node:crypto';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/**
 * One frame. @param {number} opcode @param {Buffer} payload
 * @param {object} [wrong] differences from a whole, masked frame
 * @param {boolean} [wrong.fin] @param {number} [wrong.rsv] 3 bits @param {boolean} [wrong.masked] @param {number} [wrong.mask] 32 bits
 * @param {7 | 16 | 64} [wrong.lengthBits] width of the length @param {bigint} [wrong.length] instead of the payload's
 */
export function frame(opcode, payload, { fin = true, rsv = 0, masked = true, mask = 0, lengthBits, length } = {}) {
  const notice = length ?? BigInt(payload.length);
  const bits = lengthBits ?? (notice < 126n ? 7 : notice < 65_536n ? 16 : 64);
  const lengthBytes = bits === 7 ? 0 : bits / 8;
  const head = Buffer.alloc(2 + lengthBytes + (masked ? 4 : 0));
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (bits === 7 ? Number(notice & 0x7fn) : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(Number(notice & 0xffffn), 2);
  if (bits === 64) head.writeBigUInt64BE(BigInt.asUintN(64, notice), 2);
  if (!masked) return Buffer.concat([head, payload]);
  head.writeUInt32BE(mask >>> 0, 2 + lengthBytes);
  if (mask === 0) return Buffer.concat([head, payload]); // A mask of zeros changes nothing.
  const body = Buffer.from(payload);
  for (let i = 0; i < body.length; i++) body[i] ^= mask >>> (24 - 8 * (i & 3));
  return Buffer.concat([head, body]);
}

export function textFrame(text, wrong) {
  return frame(OPCODE.text, Buffer.from(text), wrong);
}

/** @param {number} code @param {Buffer | string} [reason] */
export function closeFrame(code, reason = '', wrong = {}) {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code & 0xffff);
  return frame(OPCODE.close, payload, wrong);
}

const KEY = randomBytes(16).toString('base64');
/** The server's correct response to `KEY`. */
export const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** Returns the head of a valid upgrade as a list of lines. @param {{ path?: string, headers?: readonly string[] }} [request] */
export function upgradeLines({ path = '/ws', headers = [] } = {}) {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${KEY}`,
    ...headers,
  ];
}

/** @param {readonly string[]} lines */
export function request(lines) {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
