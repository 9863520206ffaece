/** The raw frames on the wire: filtered, paused, cleared, copied. */
import { element, find, setAttributes, setText } from '../dom/element.js';
import { keyedList } from '../dom/keyed-list.js';
import type { Playground } from '../playground.js';
import type { LoggedFrame } from '../state/frame-log.js';
import { frameView } from './frame.js';
import { stickToEnd } from './stick-to-end.js';

export function framesView({ chat }: Playground): () => void {
  const list = find('frames', HTMLElement);
  const empty = find('frames-empty', HTMLElement);
  const count = find('frames-count', HTMLElement);
  const direction = find('frames-direction', HTMLSelectElement);
  const type = find('frames-type', HTMLSelectElement);
  const pause = find('frames-pause', HTMLButtonElement);
  const sticky = stickToEnd(list);
  const renderList = keyedList<LoggedFrame>(list, frame => frame.number, frameView);
  const renderTypes = typeOptions(type);
  /** The frames when the display was paused; the log itself continues. */
  let paused: readonly LoggedFrame[] | undefined;

  for (const select of [direction, type]) select.addEventListener('change', chat.changed);
  pause.addEventListener('click', () => {
    paused = paused === undefined ? [...chat.frames.frames] : undefined;
    chat.changed();
  });
  find('frames-clear', HTMLButtonElement).addEventListener('click', () => {
    chat.frames.clear();
    if (paused !== undefined) paused = [];
    chat.changed();
  });
  find('frames-copy', HTMLButtonElement).addEventListener('click', async () => {
    const lines = chosen().map(frame => `${frame.at.toISOString()} ${frame.direction} ${frame.json}`);
    try {
      await navigator.clipboard.writeText(lines.join('\n'));
      chat.notify(`${lines.length} frames are on the clipboard.`);
    } catch {
      chat.notify('The browser does not allow this page to use the clipboard.');
    }
  });

  function chosen(): readonly LoggedFrame[] {
    return (paused ?? chat.frames.frames).filter(
      frame =>
        (direction.value === '' || frame.direction === direction.value) &&
        (type.value === '' || frame.type === type.value),
    );
  }

  return () => {
    renderTypes(chat.frames.types);
    const frames = chosen();
    renderList(frames);
    empty.hidden = frames.length > 0;
    list.hidden = frames.length === 0;
    setText(count, String(frames.length));
    setAttributes(pause, { 'aria-pressed': String(paused !== undefined) });
    setText(pause, paused === undefined ? 'Pause' : 'Resume');
    if (paused === undefined) sticky.contentChanged();
  };
}

/** The types seen so far, and the one that is chosen, also when it was cleared away. */
function typeOptions(select: HTMLSelectElement): (types: readonly string[]) => void {
  const render = keyedList<string>(
    select,
    type => type,
    type => ({ root: element('option', { value: type }, type === '' ? 'All types' : type) }),
  );
  return types => {
    const chosen = select.value;
    render(['', ...new Set(chosen === '' ? types : [...types, chosen])]);
    select.value = chosen;
  };
}
