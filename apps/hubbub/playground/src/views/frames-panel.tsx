/** The raw frames of the socket: filtered, paused, cleared, copied, written by hand, and turned into programs. */
import { useMemo, useRef, useState } from 'preact/hooks';
import type { Playground } from '../playground.js';
import { type LoggedFrame, prettyJson } from '../state/frame-log.js';
import { Button } from './button.js';
import { RawFrame, Snippet } from './frame-tools.js';
import { useStickToEnd } from './stick-to-end.js';

export function FramesPanel({ playground }: { readonly playground: Playground }) {
  const { chat } = playground;
  const [direction, setDirection] = useState('');
  const [type, setType] = useState('');
  /** The frames when the display was paused; the log itself continues. */
  const [paused, setPaused] = useState<readonly LoggedFrame[]>();
  const frames = (paused ?? chat.frames.frames).filter(
    frame => (direction === '' || frame.direction === direction) && (type === '' || frame.type === type),
  );
  const list = useRef<HTMLDivElement>(null);
  useStickToEnd(list, frames.at(-1)?.number);
  // The chosen type stays, also when its frames were cleared.
  const types = [...new Set([...chat.frames.types, type])].filter(name => name !== '');
  return (
    <section class="panel frames" aria-labelledby="frames-title">
      <header class="panel-head row">
        <h2 id="frames-title">Frames</h2>
        <span class="count" data-testid="frames-count">
          {frames.length}
        </span>
        <div class="frame-tools row">
          <Button
            pressed={paused !== undefined}
            testId="frames-pause"
            onClick={() => setPaused(paused === undefined ? [...chat.frames.frames] : undefined)}
          >
            {paused === undefined ? 'Pause' : 'Resume'}
          </Button>
          <Button
            testId="frames-copy"
            onClick={() => void playground.copy(frames.map(logLine).join('\n'), `${frames.length} frames`)}
          >
            Copy
          </Button>
          <Button
            testId="frames-clear"
            onClick={() => {
              chat.frames.clear();
              if (paused !== undefined) setPaused([]);
              chat.changed();
            }}
          >
            Clear
          </Button>
        </div>
        <div class="frame-filters">
          <select
            aria-label="Direction"
            data-testid="frames-direction"
            onChange={event => setDirection(event.currentTarget.value)}
          >
            <option value="">In and out</option>
            <option value="in">In</option>
            <option value="out">Out</option>
          </select>
          <select
            aria-label="Type of frame"
            data-testid="frames-type"
            value={type}
            onChange={event => setType(event.currentTarget.value)}
          >
            <option value="">All types</option>
            {types.map(name => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </div>
      </header>
      <div ref={list} class="frame-list" data-testid="frames">
        {frames.length === 0 && <p class="empty">Nothing was sent or received.</p>}
        {frames.map(frame => (
          <FrameView key={frame.number} frame={frame} />
        ))}
      </div>
      <RawFrame playground={playground} />
      <Snippet playground={playground} />
    </section>
  );
}

/** A line that opens to the whole frame, and to its bytes if it was binary. */
function FrameView({ frame }: { readonly frame: LoggedFrame }) {
  const { direction, type, room, json, hex, bytes, at } = frame;
  const [isOpen, setOpen] = useState(false);
  return useMemo(
    () => (
      <details
        class="frame"
        data-testid="frame"
        data-direction={direction}
        data-type={type}
        onToggle={event => {
          const { currentTarget } = event;
          setOpen(currentTarget.open);
          requestAnimationFrame(() => currentTarget.scrollIntoView({ block: 'nearest' }));
        }}
      >
        <summary>
          <span class="frame-direction">{direction}</span>
          <span class="frame-type">{type}</span>
          <span class="frame-room">{room}</span>
          <span class="frame-meta">{at.toISOString().slice(11, 23)}</span>
          <span class="frame-raw">{json}</span>
          <span class="frame-meta" data-testid="frame-bytes">
            {bytes} B
          </span>
        </summary>
        {isOpen && <pre data-testid="frame-json">{prettyJson(json)}</pre>}
        {isOpen && hex !== undefined && (
          <pre class="hex" data-testid="frame-hex">
            {hex}
          </pre>
        )}
      </details>
    ),
    [isOpen],
  );
}

function logLine({ at, direction, json }: LoggedFrame): string {
  return `${at.toISOString()} ${direction} ${json}`;
}
