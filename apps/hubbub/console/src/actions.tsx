/** Actions, each with a confirmation that names its effect; the dialog takes the focus and gives it back. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { act, type RequestFailure, type Session } from './api.js';

export interface ActionProps {
  readonly session: Session;
  /** The operation that the key needs. */
  readonly operation: string;
  readonly label: string;
  readonly testId: string;
  /** One sentence about what happens. */
  readonly effect: string;
  readonly path: string;
  /** Whether the request has a reason, which clients see. */
  readonly takesReason?: boolean;
  readonly done: () => void;
}

/** Nothing where the key does not allow it. */
export function Action(props: ActionProps) {
  const [isAsking, setAsking] = useState(false);
  const [outcome, setOutcome] = useState('');
  if (!props.session.operations.includes(props.operation)) return null;
  return (
    <>
      <button type="button" class="quiet small danger" data-testid={props.testId} onClick={() => setAsking(true)}>
        {props.label}
      </button>
      <span class="hint" role="status" data-testid={`${props.testId}-outcome`}>
        {outcome}
      </span>
      {isAsking && (
        <Confirmation
          {...props}
          end={isDone => {
            setAsking(false);
            setOutcome(isDone ? 'Done.' : '');
            if (isDone) props.done();
          }}
        />
      )}
    </>
  );
}

function Confirmation({ label, effect, path, takesReason, end }: ActionProps & { end(isDone: boolean): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const reason = useRef<HTMLInputElement>(null);
  const [failure, setFailure] = useState<RequestFailure>();
  const [isBusy, setBusy] = useState(false);
  // With the rendering: a key that is pressed now is the dialog's.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      const text = reason.current?.value.trim() ?? '';
      await act(path, text === '' ? {} : { reason: text });
      end(true);
    } catch (error) {
      setFailure(error as RequestFailure);
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} class="card" aria-labelledby="confirm-title" data-testid="confirm" onClose={() => end(false)}>
      <form class="confirm" onSubmit={event => void submit(event)}>
        <h2 id="confirm-title">{label}?</h2>
        <p>{effect}</p>
        {takesReason === true && (
          <label class="field">
            <span>Reason, which clients see</span>
            <input ref={reason} name="reason" maxLength={100} data-testid="reason" />
          </label>
        )}
        {failure !== undefined && (
          <p class="problem" role="alert" data-testid="confirm-failure">
            {failure.message} <code>{failure.code}</code>
          </p>
        )}
        <div class="row">
          <button type="submit" class="primary" disabled={isBusy} data-testid="confirm-yes">
            {label}
          </button>
          <button type="button" class="quiet" data-testid="confirm-no" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
