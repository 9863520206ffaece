/** A frame that the user writes, and the answer of the edge. */
import { useState } from 'preact/hooks';
import type { Playground } from '../playground.js';
import { prettyJson } from '../state/frame-log.js';

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
