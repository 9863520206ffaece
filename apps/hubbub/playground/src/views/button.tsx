/** The small outlined button of the page. */
import type { ComponentChildren } from 'preact';

interface ButtonProps {
  readonly testId: string;
  readonly children: ComponentChildren;
  readonly onClick: () => void;
  /** For a switch: whether it is on. */
  readonly pressed?: boolean;
  readonly label?: string;
}

export function Button({ testId, children, onClick, pressed, label }: ButtonProps) {
  return (
    <button
      type="button"
      class="quiet small"
      aria-label={label}
      aria-pressed={pressed}
      data-testid={testId}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
