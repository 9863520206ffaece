/** Selects the visible panel where the window is too narrow for all. The style sheet decides when. */
import { find, setAttributes } from '../dom/element.js';

export function panelSwitch(): void {
  const workspace = find('workspace', HTMLElement);
  const buttons = [...workspace.querySelectorAll<HTMLButtonElement>('.panel-switch button')];
  const show = (panel: string): void => {
    workspace.dataset.panel = panel;
    for (const button of buttons) setAttributes(button, { 'aria-pressed': String(button.dataset.panel === panel) });
  };
  for (const button of buttons) button.addEventListener('click', () => show(button.dataset.panel ?? 'chat'));
  show('chat');
}
