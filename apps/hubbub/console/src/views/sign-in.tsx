/** The question for an API key. The key goes to the console's server once, and is not kept in the page. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { openSession, type RequestFailure, type Session } from '../api.js';

export function SignIn({ signedIn }: { readonly signedIn: (session: Session) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => input.current?.focus(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const key = input.current?.value.trim() ?? '';
    try {
      if (key !== '') return signedIn(await openSession(key));
      setProblem('Please give a key.');
    } catch (error) {
      setProblem((error as RequestFailure).message);
    }
    input.current?.select();
  };
  return (
    <main class="sign-in">
      <form class="card" data-testid="sign-in" noValidate onSubmit={event => void submit(event)}>
        <h1>Hubbub console</h1>
        <p class="hint">Sign in with a key of the HTTP API. You may do what the key may do.</p>
        <label class="field">
          <span>API key</span>
          <input
            ref={input}
            type="password"
            name="key"
            data-testid="key"
            autocomplete="current-password"
            aria-invalid={problem !== ''}
            aria-describedby="key-problem"
          />
          <span id="key-problem" class="problem" role="alert" data-testid="key-problem">
            {problem}
          </span>
        </label>
        <button type="submit" class="primary" data-testid="sign-in-button">
          Sign in
        </button>
      </form>
    </main>
  );
}
