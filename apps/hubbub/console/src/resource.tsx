/** Data of the HTTP API in a view: loaded, loaded again, or refused. */
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { RequestFailure, read } from './api.js';

export interface Resource<Answer> {
  readonly answer: Answer | undefined;
  readonly failure: RequestFailure | undefined;
  reload(): void;
}

/** @param everyMs loads again in this interval; undefined: only when asked */
export function useResource<Answer>(path: string, everyMs?: number): Resource<Answer> {
  const [state, setState] = useState<{ path: string; answer?: Answer; failure?: RequestFailure }>({ path });
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound(count => count + 1), []);
  useEffect(() => {
    let isCurrent = true;
    read<Answer>(path).then(
      answer => isCurrent && setState({ path, answer }),
      failure => isCurrent && setState(before => ({ ...(before.path === path ? before : { path }), failure })),
    );
    const timer = everyMs === undefined ? undefined : setTimeout(reload, everyMs);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [path, round, everyMs, reload]);
  const isOfPath = state.path === path;
  return {
    answer: isOfPath ? state.answer : undefined,
    failure: isOfPath && state.failure instanceof RequestFailure ? state.failure : undefined,
    reload,
  };
}

interface LoadedProps<Answer> {
  readonly resource: Resource<Answer>;
  readonly children: (answer: Answer) => ComponentChildren;
}

export function Loaded<Answer>({ resource: { answer, failure, reload }, children }: LoadedProps<Answer>) {
  return (
    <>
      {failure !== undefined && (
        <p class="notice row" role="alert" data-testid="failure">
          <span>{failure.message}</span>
          <code>{failure.code}</code>
          <button type="button" class="quiet small" onClick={reload}>
            Try again
          </button>
        </p>
      )}
      {answer === undefined ? failure === undefined && <p class="empty">Loading …</p> : children(answer)}
    </>
  );
}
