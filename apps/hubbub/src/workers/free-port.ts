/** The port that workers will share: a free one where any will do, and nobody else's. */
import { type AddressInfo, createServer } from 'node:net';
import { listenFailure } from '@hubbub/runtime';

/**
 * Binds the port alone for a moment, because sharing would hide that another program has it.
 * @throws {Error} that names the reason and what to do
 */
export async function findSharedPort(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => {
      reject(listenFailure(error, { host, port, hostSetting: 'HUBBUB_HOST', portSetting: 'HUBBUB_PORT' }));
    });
    server.listen({ host, port, exclusive: true }, resolve);
  });
  const found = (server.address() as AddressInfo).port;
  await new Promise(resolve => server.close(resolve));
  return found;
}
