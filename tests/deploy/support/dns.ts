/** A DNS server for names whose addresses change: each answer is valid for a second. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { cleanup } from '../../support/cleanup.js';

const TTL_SECONDS = 1;
const TYPE_A = 1;
const HEADER_BYTES = 12;
/** A pointer to the name in the question, which follows the header. */
const NAME_OF_QUESTION = 0xc00c;

export interface DnsServer {
  readonly port: number;
  /** The IPv4 address of each name. A name without one gets an empty answer. */
  readonly addresses: Map<string, string>;
}

export async function startDns(addresses: Readonly<Record<string, string>>): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const known = new Map(Object.entries(addresses));
  socket.on('message', (query, { address, port }) => socket.send(answer(query, known), port, address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  cleanup(() => void socket.close());
  return { port: socket.address().port, addresses: known };
}

/** RFC 1035, section 4: header, the question again, and at most one record. */
function answer(query: Buffer, addresses: ReadonlyMap<string, string>): Buffer {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5; // The end of the name, the type and the class.
  const address = query.readUInt16BE(at + 1) === TYPE_A ? addresses.get(labels.join('.')) : undefined;
  const header = Buffer.from(query.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(0x8180, 2); // A response without an error, from a server that recurses.
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(address === undefined ? 0 : 1, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([
    header,
    query.subarray(HEADER_BYTES, end),
    ...(address === undefined ? [] : [record(address)]),
  ]);
}

function record(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16BE(NAME_OF_QUESTION, 0);
  bytes.writeUInt16BE(TYPE_A, 2);
  bytes.writeUInt16BE(1, 4); // The internet.
  bytes.writeUInt32BE(TTL_SECONDS, 6);
  bytes.writeUInt16BE(4, 10);
  bytes.set(address.split('.').map(Number), 12);
  return bytes;
}
