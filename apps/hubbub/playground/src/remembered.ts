/** The stored state: the name, rooms and switches for every tab, and the user of this tab. */
import type { EncodingName } from './state/chat.js';

/** The themes, with their names for people. */
export const THEMES = { system: 'Auto', light: 'Light', dark: 'Dark' } as const;
export type Theme = keyof typeof THEMES;

export interface Preferences {
  readonly name: string;
  readonly rooms: readonly string[];
  readonly activeRoom: string;
  readonly encoding: EncodingName;
  readonly theme: Theme;
}

/** A name is turned into a token by the server; a token is used as it is. */
export type Identity = { readonly name: string } | { readonly token: string };

const PREFERENCES_KEY = 'hubbub.playground';
/** Of the session, so that a reload continues while a second tab can be somebody else. */
const IDENTITY_KEY = 'hubbub.playground.identity';

export function recallPreferences(): Preferences {
  const { name, rooms, activeRoom, encoding, theme } = read(localStorage, PREFERENCES_KEY);
  const names = Array.isArray(rooms) ? rooms.filter(room => typeof room === 'string') : [];
  return {
    name: typeof name === 'string' ? name : '',
    rooms: names.length > 0 ? names : ['general'],
    activeRoom: typeof activeRoom === 'string' ? activeRoom : '',
    encoding: encoding === 'msgpack' ? 'msgpack' : 'json',
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
  };
}

export function rememberPreferences(changes: Partial<Preferences>): void {
  write(localStorage, PREFERENCES_KEY, { ...recallPreferences(), ...changes });
}

export function recallIdentity(): Identity | undefined {
  const { name, token } = read(sessionStorage, IDENTITY_KEY);
  if (typeof token === 'string') return { token };
  return typeof name === 'string' ? { name } : undefined;
}

export function rememberIdentity(identity: Identity | undefined): void {
  write(sessionStorage, IDENTITY_KEY, identity ?? {});
}

/** The stored text may be anything: another version of the page, or a person, may have written it. */
function read(storage: Storage, key: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? '{}');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {}; // Not JSON, or storage is switched off: the page works without a memory.
  }
}

function write(storage: Storage, key: string, value: object): void {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or switched off: the page works without a memory.
  }
}
