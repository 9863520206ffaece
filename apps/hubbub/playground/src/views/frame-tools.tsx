/** The tools beside the frames: a frame that the user writes, with the answer of the edge, and the last request as a program. */
import { useState } from 'preact/hooks';
import type { Playground } from '../playground.js';
import { socketUrl, tokenUrl } from '../server.js';
import { LANGUAGES, type Language, snippetOf } from '../snippets.js';
import { prettyJson } from '../state/frame-log.js';
import { Button } from './button.js';

export function RawFrame({ playground }: { readonly playground: Playground }) {
  const { rawRequest, activeRoom } = playground.chat;
  const [text, setText] = useState<string>();
  const example = JSON.stringify({ type: 'online_users', room: activeRoom ?? 'general' });
  const send = (event: Event): void => {
    event.preventDefault();
    playground.sendRaw(text ?? example);
  };
  return (
    <details class="tool" data-testid="raw">
      <summary>Send a frame</summary>
      <form onSubmit={send}>
        <textarea
          rows={3}
          aria-label="Frame as JSON"
          spellcheck={false}
          data-testid="raw-input"
          value={text ?? example}
          onInput={event => setText(event.currentTarget.value)}
          onKeyDown={event => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && send(event)}
        />
        <button type="submit" class="primary small" title="Ctrl + Enter" data-testid="raw-send">
          Send
        </button>
      </form>
      {rawRequest !== undefined && (
        <output data-testid="raw-answer" data-type={rawRequest.answer?.type}>
          <pre>{rawRequest.answer === undefined ? 'No answer yet.' : prettyJson(rawRequest.answer.json)}</pre>
        </output>
      )}
    </details>
  );
}

export function Snippet({ playground }: { readonly playground: Playground }) {
  const { chat } = playground;
  const [language, setLanguage] = useState<Language>('JavaScript');
  const frame = chat.lastRequest?.frame;
  if (frame === undefined) return null;
  const code = snippetOf(frame, language, {
    socketUrl: socketUrl(),
    tokenUrl: chat.name === undefined ? undefined : tokenUrl(chat.name),
    sender: chat.me,
  });
  return (
    <details class="tool" data-testid="snippet">
      <summary>
        As code: <code>{frame.type}</code>
      </summary>
      <div class="tool-bar row">
        {LANGUAGES.map(name => (
          <Button key={name} pressed={language === name} testId={`snippet-${name}`} onClick={() => setLanguage(name)}>
            {name}
          </Button>
        ))}
        <button
          type="button"
          class="primary small"
          data-testid="snippet-copy"
          onClick={() => void playground.copy(code, language)}
        >
          Copy
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: code that scrolls must be reachable by keyboard. */}
      <pre tabIndex={0} data-testid="snippet-code">
        {code}
      </pre>
    </details>
  );
}
