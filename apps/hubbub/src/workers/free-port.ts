/** The port that workers will share: a free one where any will do, and nobody else's. */
import { type AddressInfo, createServer } from 'node:net';

/**
 * Binds the port alone for a moment, because sharing would hide that another program has it.
 * @throws {Error} saying what to do when it is taken
 */
export async function findSharedPort(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => {
      reject(new Error(`Cannot listen on ${host}:${port}: ${error.message}. Set HUBBUB_PORT.`));
    });
    server.listen({ host, port, exclusive: true }, resolve);
  });
  const found = (server.address() as AddressInfo).port;
  await new Promise(resolve => server.close(resolve));
  return found;
}
