/** The socket of the SDK's client, on which the page can also send frames that the SDK did not write. */
import type { OpenTransport } from '@hubbub/client';
import { readRefusalReason } from '@hubbub/protocol';

export class RawSocket {
  #socket: WebSocket | undefined;

  /** Dials as the SDK does in browsers, and keeps the socket. */
  readonly open: OpenTransport = ({ url, protocols }, listener) => {
    const address = new URL(url);
    address.searchParams.set('errors', 'close');
    const socket = new WebSocket(address, [...protocols]);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => listener.opened();
    socket.onmessage = ({ data }) =>
      listener.received(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));
    socket.onclose = ({ code, reason }) => {
      const refusal = readRefusalReason(reason);
      listener.closed({ code, reason, ...(refusal !== undefined && { refusal }) });
    };
    return {
      send: data => socket.send(data as string),
      close: (code, reason) => socket.close(code, reason),
    };
  };

  /** @returns whether the socket was open. */
  send(data: string | Uint8Array): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(data as string);
    return true;
  }
}
