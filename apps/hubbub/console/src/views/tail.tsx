/** The messages to a room, as they travel: follows only while it is shown and switched on. */
import { useEffect, useState } from 'preact/hooks';
import { pathOf } from '../api.js';

interface Line {
  readonly key: number;
  readonly at: string;
  readonly text: string;
}

const LINES_MAX = 200;
const PAYLOAD_MAX = 2000;

export function TailView({ room }: { readonly room: string }) {
  const [isOn, setOn] = useState(false);
  return (
    <section aria-labelledby="tail-title">
      <div class="row">
        <h2 id="tail-title">Live tail</h2>
        <button type="button" class="quiet small" aria-pressed={isOn} data-testid="tail" onClick={() => setOn(!isOn)}>
          {isOn ? 'Stop' : 'Follow'}
        </button>
      </div>
      {isOn ? <Lines room={room} /> : <p class="hint">Shows messages that are published from now on.</p>}
    </section>
  );
}

function Lines({ room }: { readonly room: string }) {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [state, setState] = useState('connecting');
  useEffect(() => {
    let count = 0;
    const add = (at: string, text: string): void => {
      const line = { key: count++, at, text };
      setLines(before => [line, ...before].slice(0, LINES_MAX));
    };
    const note = (text: string): void => add(new Date().toISOString(), text);
    const source = new EventSource(`api${pathOf('rooms', room)}/tail`);
    const on = (name: string, listener: (data: Record<string, unknown>) => void): void =>
      source.addEventListener(name, event => listener(Object(JSON.parse((event as MessageEvent<string>).data))));
    on('following', () => setState('following'));
    on('message', message => add(String(message.at), textOf(message)));
    on('gap', ({ duration_ms }) => note(`Redis was away for ${duration_ms} ms; messages of that time are missing`));
    on('dropped', ({ count: missed }) => note(`${missed} messages were too many for this page`));
    on('malformed', () => note('a message that edges drop'));
    source.onerror = () => setState(source.readyState === EventSource.CLOSED ? 'refused' : 'connecting');
    return () => source.close();
  }, [room]);
  return (
    <>
      <p class="hint" role="status" data-testid="tail-state">
        {state}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard. */}
      <div class="tail" role="log" aria-label={`Messages to ${room}`} tabIndex={0} data-testid="tail-lines">
        {lines.map(({ key, at, text }) => (
          <pre key={key}>
            <time>{at.slice(11, 23)}</time> {text}
          </pre>
        ))}
      </div>
    </>
  );
}

function textOf({ frame, control, offset }: Record<string, unknown>): string {
  const place = offset === undefined ? '' : `#${offset} `;
  if (control !== undefined) return `${place}control ${JSON.stringify(control)}`.slice(0, PAYLOAD_MAX);
  const { type, sender, payload }: Record<string, unknown> = Object(frame);
  const from = sender === undefined ? '' : ` ${Object(sender).id}`;
  return `${place}${type}${from} ${JSON.stringify(payload ?? {})}`.slice(0, PAYLOAD_MAX);
}
