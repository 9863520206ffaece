/**
 * The transport of browsers: the global `WebSocket`, declared here as far as we use it. Browsers hide HTTP answers: an edge is
 * asked to close with its refusal instead (`?errors=close`, PROTOCOL.md section 1).
 */
import { readRefusalReason } from '@hubbub/protocol';
import { defined } from './defined.js';
import { withQuery } from './options.js';
import type { OpenTransport } from './transport.js';

interface BrowserSocket {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
}
type BrowserSocketConstructor = new (url: string, protocols: string[]) => BrowserSocket;

export const openTransport: OpenTransport = ({ url, protocols }, listener) => {
  const { WebSocket } = globalThis as unknown as { WebSocket: BrowserSocketConstructor };
  const socket = new WebSocket(withQuery(url, 'errors=close'), [...protocols]);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => listener.opened();
  socket.onmessage = ({ data }) => listener.received(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));
  socket.onclose = ({ code, reason }) => listener.closed(defined({ code, reason, refusal: readRefusalReason(reason) }));
  return socket;
};
