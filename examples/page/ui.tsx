/** The parts of every page: the bar with the connection and the theme, toasts, avatars, and work that a button starts. */
import type { ConnectionState, HubbubClient } from '@hubbub/client';
import { type ComponentChildren, render, type VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { keep, kept, useConnection, useRedraw, wordsOf } from './hub.js';
import './style.css';

/** Draws a page. @param hue of its one accent, in degrees */
export function showPage(page: VNode, hue: number): void {
  document.documentElement.style.setProperty('--hue', String(hue));
  render(
    <>
      {page}
      <Toasts />
    </>,
    document.body,
  );
}

/** The bar on top: the name of the page, what the page adds, the connection, light or dark. */
export function PageBar(props: {
  readonly title: string;
  readonly client?: HubbubClient | undefined;
  readonly children?: ComponentChildren;
}) {
  return (
    <header class="bar">
      <h1>{props.title}</h1>
      {props.children}
      {props.client && <ConnectionBadge client={props.client} />}
      <ThemeButton />
    </header>
  );
}

const TICK_MS = 500;

/** The state of the connection, always visible: connected, reconnecting in some seconds, or closed and what to do. */
export function ConnectionBadge({ client }: { readonly client: HubbubClient }) {
  const { state, retryAtMs = 0, reason } = useConnection(client);
  const redraw = useRedraw();
  useLayoutEffect(() => {
    if (state !== 'waiting') return;
    const tick = setInterval(redraw, TICK_MS);
    return () => clearInterval(tick);
  }, [state]);
  const [kind, words] = badgeOf(state, retryAtMs);
  const title = state === 'closed' || state === 'waiting' ? reason : undefined;
  return (
    <span class={`badge connection ${kind}`} role="status" data-connection={state} title={title}>
      {words}
    </span>
  );
}

function badgeOf(state: ConnectionState, retryAtMs: number): [kind: string, words: string] {
  switch (state) {
    case 'open':
    case 'moving':
      return ['good', 'Connected'];
    case 'waiting': {
      if (!navigator.onLine) return ['bad', 'Offline: back with your network'];
      const seconds = Math.ceil(Math.max(0, retryAtMs - Date.now()) / 1000);
      return ['warn', seconds > 0 ? `Reconnecting in ${seconds} s` : 'Reconnecting …'];
    }
    case 'closed':
      return ['bad', 'Disconnected: reload to reconnect'];
    case 'idle':
      return ['', 'Not connected'];
    default:
      return ['warn', 'Connecting …'];
  }
}

const THEME = 'theme';
const DARK = matchMedia('(prefers-color-scheme: dark)');

/** Light or dark: the theme of the system until a person presses the button; remembered after that. */
function ThemeButton() {
  const [chosen, setChosen] = useState(() => kept<string>(THEME, 'browser'));
  const redraw = useRedraw();
  useLayoutEffect(() => {
    DARK.addEventListener('change', redraw);
    return () => DARK.removeEventListener('change', redraw);
  }, []);
  useLayoutEffect(() => {
    if (chosen !== undefined) document.documentElement.dataset.theme = chosen;
  }, [chosen]);
  const isDark = (chosen ?? (DARK.matches ? 'dark' : 'light')) === 'dark';
  const label = isDark ? 'Light colors' : 'Dark colors';
  const change = (): void => {
    const theme = isDark ? 'light' : 'dark';
    setChosen(theme);
    keep(THEME, theme, 'browser');
  };
  return (
    <button type="button" class="quiet icon" aria-label={label} title={label} onClick={change}>
      {isDark ? '☀' : '☾'}
    </button>
  );
}

const TOAST_MS = 6000;
const TOASTS_MAX = 3;

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: 'plain' | 'good' | 'bad';
}

let toasts: readonly Toast[] = [];
let toastCount = 0;
let drawToasts = (): void => {};

/** Shows a short text that disappears by itself. @param kind screen readers announce `bad` immediately */
export function toast(text: string, kind: Toast['kind'] = 'plain'): void {
  const shown = { id: toastCount++, text, kind };
  const change = (next: readonly Toast[]): void => {
    toasts = next;
    drawToasts();
  };
  change([...toasts, shown].slice(-TOASTS_MAX));
  setTimeout(() => change(toasts.filter(other => other !== shown)), TOAST_MS);
}

function Toasts() {
  drawToasts = useRedraw();
  return (
    <div class="toasts">
      {toasts.map(each => (
        <div key={each.id} class={`toast ${each.kind}`} role={each.kind === 'bad' ? 'alert' : 'status'}>
          {each.text}
        </div>
      ))}
    </div>
  );
}

/** A round picture of initials, in a color of the person. */
export function Avatar({ name, id }: { readonly name: string; readonly id: string }) {
  const words = name.split(/\s+/).slice(0, 2);
  let hue = 0;
  for (const letter of id) hue = (hue * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  return (
    <span class="avatar" aria-hidden="true" style={{ '--person': String(hue) }}>
      {words
        .map(word => [...word][0] ?? '')
        .join('')
        .toUpperCase()}
    </span>
  );
}

/** Calls `press` for keys on the page, but not for keys in fields, or with Alt, Ctrl or Meta. */
export function useKeys(press: (event: KeyboardEvent) => void): void {
  const latest = useRef(press);
  latest.current = press;
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const { altKey, ctrlKey, metaKey, target } = event;
      const isField = target instanceof Element && target.matches('input, textarea, select');
      if (!altKey && !ctrlKey && !metaKey && !isField) latest.current(event);
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
}

const CONFETTI = 28;

/** Falls once for each `key`; the style hides it from people who prefer less motion. */
export function Confetti() {
  return (
    <div class="confetti" aria-hidden="true">
      {Array.from({ length: CONFETTI }, (_, index) => {
        const style = {
          '--x': `${(100 * index) / CONFETTI}%`,
          '--hue': index * 137,
          '--delay': `${(index * 53) % 400}ms`,
        };
        return <i key={index} style={style} />;
      })}
    </div>
  );
}

/** Copies a text; where the browser does not permit that, a toast shows it. */
export function CopyButton(props: { readonly text: string; readonly label?: string; readonly children: string }) {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(props.text);
      toast('Copied', 'good');
    } catch {
      toast(props.text);
    }
  };
  return (
    <button type="button" aria-label={props.label} onClick={() => void copy()}>
      {props.children}
    </button>
  );
}

/** Work that a person starts: `busy` while it runs, `problem` shows what went wrong. */
export interface Work {
  readonly busy: boolean;
  readonly problem: string;
  /** Never rejects. */
  run(work: () => Promise<unknown>): Promise<void>;
}

export function useWork(): Work {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setProblem('');
    try {
      await work();
    } catch (error) {
      setProblem(wordsOf(error));
    }
    setBusy(false);
  };
  return { busy, problem, run };
}

/** The problem of some work, below the control that started it. */
export function Problem({ of, id }: { readonly of: Pick<Work, 'problem'>; readonly id?: string }) {
  return (
    <p class="problem" role="alert" id={id}>
      {of.problem}
    </p>
  );
}

/** The trimmed texts of a submitted form, by the names of its inputs; the browser does not send the form. */
export function fieldsOf(event: SubmitEvent): Readonly<Record<string, string>> {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
}
