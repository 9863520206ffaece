/** The identity of this tab: a name, and the key that keeps it the same person after a reload. */
import type { Sender } from '@hubbub/client';
import { ask } from '../../page/hub.js';
import { keep, kept } from '../../page/kept.js';

export interface Identity {
  readonly user: Sender;
  readonly key: string;
}

interface SignedIn extends Identity {
  readonly token: string;
}

const KEY = 'chat:identity';

/** Each tab is a person of its own, so that one can try the chat alone. */
export function keptIdentity(): Identity | undefined {
  return kept<Identity>(KEY);
}

export function forgetIdentity(): void {
  keep(KEY, undefined);
}

/** @throws {Error} with words for people */
export async function signIn(name: string): Promise<Identity> {
  const { user, key } = await ask<SignedIn>('POST', '/api/sign-in', { name });
  const identity = { user, key };
  keep(KEY, identity);
  return identity;
}

/** A new token of the same person: asked for before every attempt to connect, and before the old one ends. */
export async function tokenOf({ user, key }: Identity): Promise<string> {
  return (await ask<SignedIn>('POST', '/api/sign-in', { name: user.name, key })).token;
}
