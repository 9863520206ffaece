/** The server of this page: its socket, its tokens, and the wishes in the page's own address. */
import { type ErrorCode, HubbubError, type OpenTransport } from '@hubbub/client';
import { isErrorCode, isRoomName, readRefusalReason } from '@hubbub/protocol';

/** The server writes `HUBBUB_BASE_PATH` into the page. */
export function socketUrl(): string {
  const basePath = document.querySelector<HTMLMetaElement>('meta[name="hubbub-base-path"]')?.content ?? '';
  return new URL(`${basePath}/ws`, location.origin.replace(/^http/, 'ws')).href;
}

/** The address that returns a token for a name. The same name is the same user, so two tabs are two sessions of one user. */
export function tokenUrl(name: string): string {
  return new URL(`/playground/token?${new URLSearchParams({ user: userIdOf(name), name })}`, location.origin).href;
}

/** @throws {HubbubError} the server's error. @throws {TypeError} when it does not answer: the SDK retries. */
export async function fetchToken(name: string): Promise<string> {
  const response = await fetch(tokenUrl(name));
  const { token, code, message }: Partial<Record<string, unknown>> = Object(await response.json());
  if (response.ok && typeof token === 'string') return token;
  const known: ErrorCode = isErrorCode(code) ? code : 'UNAUTHORIZED';
  throw new HubbubError(known, typeof message === 'string' ? message : 'The server gave no token.');
}

/** @example userIdOf('Ada Lovelace') === 'ada-lovelace' */
export function userIdOf(name: string): string {
  return name.trim().normalize('NFC').toLowerCase().replace(/\s+/g, '-');
}

/** Reads `?token=…&room=…`, and removes the token from the address bar: it would end up in bookmarks and screenshots. */
export function takeAddressWishes(): { readonly token: string | undefined; readonly room: string | undefined } {
  const address = new URL(location.href);
  const token = address.searchParams.get('token') ?? undefined;
  const room = address.searchParams.get('room') ?? undefined;
  if (token !== undefined) {
    address.searchParams.delete('token');
    history.replaceState(null, '', address);
  }
  return { token, room: room !== undefined && isRoomName(room) ? room : undefined };
}

/** The socket of the SDK's client, on which the page can also send frames that the SDK did not write. */
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
