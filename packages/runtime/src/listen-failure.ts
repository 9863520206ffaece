/** Explains why a port could not be bound, and which setting to change. */
import { createServer } from 'node:net';

/** The address to listen on, and the settings that name it. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Such as `HUBBUB_HOST`. */
  readonly hostSetting: string;
  /** Such as `HUBBUB_PORT`. */
  readonly portSetting: string;
}

/** @param error of Node, with the `code` of the system */
export function listenFailure(error: unknown, address: ListenAddress): Error {
  const { host, port, hostSetting, portSetting } = address;
  const code = Object(error).code;
  const say = (reason: string, change: string) => new Error(`Cannot listen on ${host}:${port}: ${reason}. ${change}`);
  switch (code) {
    case 'EADDRINUSE':
      return say('the port is taken', `Set ${portSetting}, or end the program that has it.`);
    case 'EACCES':
      return say(
        'this user may not bind the port',
        `Set ${portSetting} to one above 1023, or allow it (CAP_NET_BIND_SERVICE).`,
      );
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
    case 'EAFNOSUPPORT':
      return say('this machine does not have the address', `Set ${hostSetting}, such as 0.0.0.0 for all addresses.`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return say('the name has no address', `Set ${hostSetting}, such as 0.0.0.0 for all addresses.`);
    default:
      return say(
        error instanceof Error ? error.message : 'the system refuses it',
        `Set ${hostSetting} or ${portSetting}.`,
      );
  }
}

/**
 * Does what listens; where that fails without a reason, as the engine does, Node is asked for it.
 * @throws {Error} as {@link listenFailure}
 */
export async function listening<Listener>(address: ListenAddress, listen: () => Listener): Promise<Listener> {
  try {
    return listen();
  } catch (error) {
    const reason = await bindingProblem(address);
    throw reason === undefined ? error : listenFailure(reason, address);
  }
}

/** `undefined` where Node can bind it. */
function bindingProblem({ host, port }: ListenAddress): Promise<Error | undefined> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
