/** Reads the page's address: the socket URL, and an initial token and room. */
import { isRoomName } from '@hubbub/protocol';

export interface AddressWishes {
  readonly token: string | undefined;
  readonly room: string | undefined;
}

/** Reads `?token=…&room=…`, and takes the token out of the address bar: it would end up in bookmarks and screenshots. */
export function takeAddressWishes(): AddressWishes {
  const address = new URL(location.href);
  const token = address.searchParams.get('token') ?? undefined;
  const room = address.searchParams.get('room') ?? undefined;
  if (token !== undefined) {
    address.searchParams.delete('token');
    history.replaceState(null, '', address);
  }
  return { token, room: room !== undefined && isRoomName(room) ? room : undefined };
}

/** The server writes `HUBBUB_BASE_PATH` into the page. */
export function socketUrl(): string {
  const basePath = document.querySelector<HTMLMetaElement>('meta[name="hubbub-base-path"]')?.content ?? '';
  return new URL(`${basePath}/ws`, location.origin).href;
}
