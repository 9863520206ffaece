/** One raw frame: a line that opens to the whole frame, and to its bytes where it was binary. */
import { element } from '../dom/element.js';
import type { ItemView } from '../dom/keyed-list.js';
import type { LoggedFrame } from '../state/frame-log.js';

export function frameView(frame: LoggedFrame): ItemView<LoggedFrame> {
  const { direction, type, room, json, hex, bytes } = frame;
  const root = element(
    'details',
    { class: 'frame', 'data-testid': 'frame', 'data-direction': direction, 'data-type': type },
    element(
      'summary',
      {},
      element('span', { class: 'frame-direction' }, direction),
      element('span', { class: 'frame-type' }, type),
      element('span', { class: 'frame-room' }, room),
      element('span', { class: 'frame-meta' }, clock(frame.at)),
      element('span', { class: 'frame-raw' }, json),
      element('span', { class: 'frame-meta', 'data-testid': 'frame-bytes' }, `${bytes} B`),
    ),
  );
  // Most frames are never opened: their insides are made when they are.
  root.addEventListener(
    'toggle',
    () => {
      root.append(element('pre', { 'data-testid': 'frame-json', tabindex: '0' }, pretty(json)));
      if (hex !== undefined) {
        root.append(element('pre', { class: 'hex', 'data-testid': 'frame-hex', tabindex: '0' }, hex));
      }
      root.scrollIntoView({ block: 'nearest' });
    },
    { once: true },
  );
  return { root };
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json; // The data was not JSON, and is shown unchanged.
  }
}

function clock(at: Date): string {
  return at.toISOString().slice(11, 23);
}
