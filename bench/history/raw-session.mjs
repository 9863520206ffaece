/** One session with an edge over a raw socket: shakes hands, sends JSON frames, and hands what comes on without parsing it. */
import { connect } from 'node:net';
import { FrameReader, OPCODE } from '../load/frame-reader.mjs';

const HEAD_MAX_BYTES = 8192;
/** The answer to it is not checked, so one key serves all. */
const KEY = Buffer.from('a key of 16 byte').toString('base64');
/** All sockets of the process read into the same bytes: what is read is dealt with before the next read. */
const RECEIVED = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * @typedef {object} SessionOptions
 * @property {number} port @property {Record<string, string>} headers of the upgrade request
 * @property {() => void} onOpen the upgrade was answered
 * @property {(frame: Buffer) => void} onFrame a text frame in place: valid until it returns
 * @property {(why: string) => void} onEnd once
 */

export class RawSession {
  ended = false;
  #socket;
  #head = '';
  #open = false;
  #options;
  #reader = new FrameReader((bytes, opcode, start, length) => this.#frame(bytes, opcode, start, length));

  /** @param {SessionOptions} options */
  constructor(options) {
    this.#options = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      noDelay: true,
      onread: { buffer: RECEIVED, callback: (length, bytes) => this.#read(bytes, length) },
    });
    this.#socket.on('connect', () => this.#askForUpgrade());
    this.#socket.on('error', error => this.#end(error.message));
    this.#socket.on('close', () => this.#end('the server closed the connection'));
  }

  /** @param {object} frame */
  send(frame) {
    this.#write(OPCODE.text, Buffer.from(JSON.stringify(frame)));
  }

  close() {
    this.ended = true;
    this.#socket.destroy();
  }

  #askForUpgrade() {
    const lines = [
      'GET /ws HTTP/1.1',
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${KEY}`,
      ...Object.entries(this.#options.headers).map(([name, value]) => `${name}: ${value}`),
    ];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  #read(bytes, length) {
    if (this.ended) return true;
    const start = this.#open ? 0 : this.#readHead(bytes, length);
    if (start < length) this.#reader.read(bytes, start, length);
    return true; // Go on reading.
  }

  /** Returns where the first frame begins. */
  #readHead(bytes, length) {
    const before = this.#head.length;
    this.#head += bytes.latin1Slice(0, length);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0 && this.#head.length > HEAD_MAX_BYTES) this.#end('the answer to the upgrade does not end');
    if (end < 0) return length;
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      this.#end(`refused: ${this.#head.slice(0, this.#head.indexOf('\r\n'))}`);
      return length;
    }
    this.#open = true;
    this.#head = '';
    this.#options.onOpen();
    return end + 4 - before;
  }

  #frame(bytes, opcode, start, length) {
    if (this.ended) return;
    if (opcode === OPCODE.text) this.#options.onFrame(bytes.subarray(start, start + length));
    else if (opcode === OPCODE.ping) this.#write(OPCODE.pong, Buffer.alloc(0));
    else if (opcode === OPCODE.close) this.#end('the server sent a close frame');
  }

  /** Masked with zeros, as a client has to mask. */
  #write(opcode, payload) {
    const { length } = payload;
    const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff];
    this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcode, ...size, 0, 0, 0, 0]), payload]));
  }

  #end(why) {
    if (this.ended) return;
    this.ended = true;
    this.#socket.destroy();
    this.#options.onEnd(why);
  }
}
