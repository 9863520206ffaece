/** Notices about what went wrong. Each disappears on a click, on Escape, or after a while. */
import { useEffect } from 'preact/hooks';
import type { Chat, Notice } from '../state/chat.js';
import { Button } from './button.js';

const SHOWN_MS = 12_000;

export function Notices({ chat }: { readonly chat: Chat }) {
  useEffect(() => {
    const dismissNewest = ({ key }: KeyboardEvent): void => {
      const newest = chat.notices.at(-1);
      if (key === 'Escape' && newest !== undefined) chat.dismiss(newest.key);
    };
    document.addEventListener('keydown', dismissNewest);
    return () => document.removeEventListener('keydown', dismissNewest);
  }, [chat]);
  return (
    <div class="notices" role="alert" data-testid="notices">
      {chat.notices.map(notice => (
        <NoticeBox key={notice.key} notice={notice} dismiss={() => chat.dismiss(notice.key)} />
      ))}
    </div>
  );
}

function NoticeBox({ notice, dismiss }: { readonly notice: Notice; readonly dismiss: () => void }) {
  useEffect(() => {
    const timer = setTimeout(dismiss, SHOWN_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="notice row" data-testid="notice">
      <span>{notice.text}</span>
      {notice.code !== undefined && <code>{notice.code}</code>}
      <Button testId="notice-dismiss" onClick={dismiss}>
        Dismiss
      </Button>
    </div>
  );
}
