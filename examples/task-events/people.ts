/** The user of an HTTP request: signed in by a name, recognized by a key. A demonstration: it has no passwords. */
import { randomBytes } from 'node:crypto';
import type { Sender } from '@hubbub/server';
import type { FastifyRequest } from 'fastify';
import type { Documents } from '../state/documents.js';

/** An answer that is not a success. */
export class Refusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

type SignIn = { readonly user: Sender };

/** `Ada Lovelace` is `ada-lovelace`: other programs and other tabs name her so. @throws {Refusal} for a name of no letters */
export function userOf(name: string): Sender {
  const id = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  if (id === '') throw new Refusal(400, 'a name has letters from a to z, or digits');
  return { id, name };
}

export async function signIn(documents: Documents, name: string): Promise<SignIn & { readonly key: string }> {
  const key = randomBytes(24).toString('base64url');
  const user = userOf(name);
  await documents.update<SignIn>(`key:${key}`, () => ({ user }));
  return { user, key };
}

/** @throws {Refusal} 401 */
export async function requestingUser(documents: Documents, request: FastifyRequest): Promise<Sender> {
  const key = /^Bearer ([\w-]{1,64})$/.exec(request.headers.authorization ?? '')?.[1];
  // An update, although nothing changes: who is there stays signed in.
  const known = key === undefined ? undefined : await documents.update<SignIn>(`key:${key}`, before => before);
  if (known === undefined) throw new Refusal(401, 'sign in first');
  return known.user;
}
