/** A cheap WebSocket client over a raw socket: shakes hands, and cuts the received bytes into frames in place. */
import { connect } from 'node:net';
import { FrameReader, OPCODE } from './frame-reader.mjs';

const HEAD_MAX_BYTES = 8192;
/** The answer to it is not checked, so one key serves all. */
const KEY = Buffer.from('a key of 16 byte').toString('base64');
/** All sockets of the process read into the same bytes: each read is processed before the next one. */
const RECEIVED = Buffer.allocUnsafeSlow(256 * 1024);
const HEAD_END = '\r\n\r\n';
/** Masked with zeros, as a client has to mask. */
const PONG = Buffer.from([0x80 | OPCODE.pong, 0x80, 0, 0, 0, 0]);

/**
 * @typedef {object} RawSocketOptions
 * @property {number} port of 127.0.0.1 @property {string} path
 * @property {string} [localAddress] source address, such as 127.0.0.2
 * @property {Record<string, string>} headers of the upgrade request
 * @property {() => void} onOpen the upgrade was answered
 * @property {() => void} [onChunk] a read brought frames, or parts of them
 * @property {(bytes: Buffer, start: number, length: number) => void} onData a text or binary frame's payload, in place:
 *   valid until it returns
 * @property {(why: string) => void} onEnd once, unless it was closed by this end
 */

export class RawSocket {
  /** Why the connection ended; undefined while it is open. */
  ended;
  #socket;
  #head = '';
  #open = false;
  #options;
  #reader = new FrameReader((bytes, opcode, start, length) => this.#frame(bytes, opcode, start, length));

  /** @param {RawSocketOptions} options */
  constructor(options) {
    this.#options = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      localAddress: options.localAddress,
      noDelay: true,
      onread: { buffer: RECEIVED, callback: (length, bytes) => this.#read(bytes, length) },
    });
    this.#socket.on('connect', () => this.#askForUpgrade());
    this.#socket.on('error', error => this.#end(error.message));
    this.#socket.on('close', () => this.#end('the server closed the connection'));
  }

  /** @param {string} text */
  send(text) {
    const length = Buffer.byteLength(text);
    const head = length < 126 ? [0x81, 0x80 | length] : [0x81, 0x80 | 126, length >> 8, length & 0xff];
    const frame = Buffer.allocUnsafe(head.length + 4 + length);
    frame.set(head);
    frame.fill(0, head.length, head.length + 4); // The mask.
    frame.write(text, head.length + 4);
    this.#socket.write(frame);
  }

  close() {
    this.ended ??= 'closed by us';
    this.#socket.destroy();
  }

  #askForUpgrade() {
    const { path, headers } = this.#options;
    const lines = [
      `GET ${path} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${KEY}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  #read(bytes, length) {
    if (this.ended !== undefined) return true;
    const start = this.#open ? 0 : this.#readHead(bytes, length);
    if (start < length) {
      this.#options.onChunk?.();
      this.#reader.read(bytes, start, length);
    }
    return true; // Continue reading.
  }

  /** Returns where the first frame begins. */
  #readHead(bytes, length) {
    const before = this.#head.length;
    this.#head += bytes.latin1Slice(0, length);
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#head.length > HEAD_MAX_BYTES) this.#end('the answer to the upgrade does not end');
      return length;
    }
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      this.#end(`refused: ${this.#head.slice(0, this.#head.indexOf('\r\n'))}`);
      return length;
    }
    this.#open = true;
    this.#head = '';
    this.#options.onOpen();
    return end + HEAD_END.length - before;
  }

  #frame(bytes, opcode, start, length) {
    if (this.ended !== undefined) return;
    if (opcode === OPCODE.text || opcode === OPCODE.binary) this.#options.onData(bytes, start, length);
    else if (opcode === OPCODE.ping) this.#socket.write(PONG);
    else if (opcode === OPCODE.close)
      this.#end(`close code ${length >= 2 ? (bytes[start] << 8) + bytes[start + 1] : 1005}`);
  }

  #end(why) {
    if (this.ended !== undefined) return;
    this.ended = why;
    this.#socket.destroy();
    this.#options.onEnd(why);
  }
}
