/** The page: its bar, the question for a name, and the panels. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Playground } from '../playground.js';
import { recallPreferences } from '../remembered.js';
import { Bar } from './bar.js';
import { ChatPanel } from './chat-panel.js';
import { FramesPanel } from './frames-panel.js';
import { Notices } from './notices.js';
import { PeoplePanel } from './people-panel.js';

const PANELS = ['chat', 'people', 'frames'] as const;

export function App({ playground }: { readonly playground: Playground }) {
  const { chat } = playground;
  // The style sheet decides when the window is too narrow for all panels.
  const [panel, setPanel] = useState<(typeof PANELS)[number]>('chat');
  useEffect(() => {
    document.title = chat.unread > 0 ? `(${chat.unread}) Hubbub playground` : 'Hubbub playground';
  });
  return (
    <>
      <Bar playground={playground} />
      <Notices chat={chat} />
      {chat.signedIn ? (
        <main class="workspace" data-panel={panel}>
          <nav class="panel-switch" aria-label="Panels">
            {PANELS.map(name => (
              <button
                key={name}
                type="button"
                class="quiet"
                aria-pressed={panel === name}
                data-panel={name}
                data-testid={`panel-${name}`}
                onClick={() => setPanel(name)}
              >
                {name}
              </button>
            ))}
          </nav>
          <ChatPanel playground={playground} />
          <PeoplePanel chat={chat} />
          <FramesPanel playground={playground} />
        </main>
      ) : (
        <SignIn playground={playground} />
      )}
    </>
  );
}

function SignIn({ playground }: { readonly playground: Playground }) {
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => input.current?.select(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    const name = input.current?.value.trim() ?? '';
    if (name !== '') return playground.signIn({ name });
    setProblem('Please give a name.');
    input.current?.focus();
  };
  return (
    <main class="sign-in">
      <form class="card" data-testid="sign-in" noValidate onSubmit={submit}>
        <h2>Who are you?</h2>
        <p class="hint">
          Pick any name. Open this page in a second tab under another name, and talk to yourself through the relay.
        </p>
        <label class="field">
          <span>Name</span>
          <input
            ref={input}
            name="name"
            data-testid="name"
            autocomplete="nickname"
            maxLength={40}
            defaultValue={recallPreferences().name}
            aria-invalid={problem !== ''}
            aria-describedby="name-problem"
          />
          <span id="name-problem" class="problem" role="alert" data-testid="name-problem">
            {problem}
          </span>
        </label>
        <button type="submit" class="primary" data-testid="sign-in-button">
          Start chatting
        </button>
      </form>
    </main>
  );
}
