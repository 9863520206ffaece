/** The last request as a program. */
import { useState } from 'preact/hooks';
import type { Playground } from '../playground.js';
import { socketUrl, tokenUrl } from '../server.js';
import { LANGUAGES, type Language, snippetOf } from '../snippets.js';
import { Button } from './button.js';

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
