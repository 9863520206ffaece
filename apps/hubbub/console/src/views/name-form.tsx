/** Opens a view by a name that the operator knows. */
import { useRef } from 'preact/hooks';
import { hrefOf } from '../route.js';

interface NameFormProps {
  readonly label: string;
  /** The part of the URL before the name. */
  readonly list: string;
  readonly testId: string;
  readonly action: string;
}

export function NameForm({ label, list, testId, action }: NameFormProps) {
  const input = useRef<HTMLInputElement>(null);
  const open = (event: Event): void => {
    event.preventDefault();
    const name = input.current?.value.trim() ?? '';
    if (name !== '') location.hash = hrefOf(list, name);
  };
  return (
    <form class="row" data-testid={testId} onSubmit={open}>
      <label class="row">
        <span>{label}</span>
        <input ref={input} name="name" maxLength={256} autocapitalize="off" data-testid={`${testId}-name`} />
      </label>
      <button type="submit" class="quiet">
        {action}
      </button>
    </form>
  );
}
