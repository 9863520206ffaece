/** The bar: the state of the connection, its cause and remedy, and the switches for encoding, colors and name. */
import { useEffect, useState } from 'preact/hooks';
import type { Playground } from '../playground.js';
import { recallPreferences, rememberPreferences, THEMES } from '../remembered.js';
import { ENCODINGS } from '../state/chat.js';
import { lossWords, stateWords } from '../words.js';
import { Button } from './button.js';

const COUNTDOWN_STEP_MS = 250;

export function Bar({ playground }: { readonly playground: Playground }) {
  const { chat } = playground;
  return (
    <header class="bar row">
      <h1>
        Hubbub <span class="hint">playground</span>
      </h1>
      {chat.signedIn && <Connection playground={playground} />}
      <div class="switches row">
        <Choice
          name="encoding"
          label="Encoding of the frames"
          options={ENCODINGS}
          value={chat.encoding}
          choose={encoding => playground.useEncoding(encoding)}
        />
        <Theme />
        {chat.signedIn && (
          <div class="me row">
            <span class="me-name" data-testid="me" title={`User id: ${chat.me?.id}`}>
              {chat.me?.name}
            </span>
            <Button label="Change name" testId="sign-out" onClick={() => playground.signOut()}>
              Change
            </Button>
          </div>
        )}
      </div>
    </header>
  );
}

function Connection({ playground }: { readonly playground: Playground }) {
  const { connection } = playground.chat;
  const { state, error, closeCode, retryAtMs } = connection;
  const isLost = state === 'waiting' || state === 'closed';
  const cause = isLost ? lossWords(connection) : '';
  const code = closeCode === undefined ? error?.code : `Close code ${closeCode}.`;
  const canConnect = isLost || state === 'idle';
  return (
    <div class="connection row" data-testid="connection" data-state={state}>
      <span class="dot" aria-hidden="true" />
      <span class="connection-words row">
        <span class="state" role="status" data-testid="connection-state">
          {stateWords(state)}
        </span>
        {/* Beside the live region: a screen reader must not read every second. */}
        {retryAtMs !== undefined && <Countdown untilMs={retryAtMs} />}
        <span class="reason" data-testid="connection-reason">
          {cause && `${cause} ${code ?? ''}`}
        </span>
      </span>
      <Button testId="connection-action" onClick={() => (canConnect ? playground.connect() : playground.disconnect())}>
        {canConnect ? 'Connect now' : 'Disconnect'}
      </Button>
    </div>
  );
}

function Countdown({ untilMs }: { readonly untilMs: number }) {
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick(tick => tick + 1), COUNTDOWN_STEP_MS);
    return () => clearInterval(timer);
  }, []);
  const restMs = Math.max(0, untilMs - performance.now());
  return (
    <span class="countdown" data-testid="connection-countdown">
      in {Math.ceil(restMs / 1000)} s
    </span>
  );
}

function Theme() {
  const [theme, setTheme] = useState(recallPreferences().theme);
  // The style sheet does the rest with light-dark().
  document.documentElement.dataset.theme = theme;
  useEffect(() => rememberPreferences({ theme }), [theme]);
  return <Choice name="theme" label="Colors" options={THEMES} value={theme} choose={setTheme} />;
}

interface ChoiceProps<Value extends string> {
  readonly name: string;
  readonly label: string;
  /** Values with their names for people. */
  readonly options: Readonly<Record<Value, string>>;
  readonly value: Value;
  readonly choose: (value: Value) => void;
}

function Choice<Value extends string>({ name, label, options, value, choose }: ChoiceProps<Value>) {
  return (
    <select
      class={name}
      aria-label={label}
      data-testid={name}
      value={value}
      onChange={event => choose(event.currentTarget.value as Value)}
    >
      {Object.entries<string>(options).map(([key, text]) => (
        <option key={key} value={key}>
          {text}
        </option>
      ))}
    </select>
  );
}
