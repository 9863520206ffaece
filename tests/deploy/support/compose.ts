/** docker-compose.yml as Compose reads it, alone or with a file of `deploy/compose` on top. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { at, isRecord } from './manifests.js';
import { makeSecrets } from './secrets.js';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** In place of `./secrets`. */
export const secrets = makeSecrets();
export const composeText = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');

export function readCompose(text = composeText): Record<string, unknown> {
  const content: unknown = parse(text, { merge: true });
  if (!isRecord(content)) throw new Error('docker-compose.yml holds no object.');
  return content;
}

export const VARIANTS = ['sentinel', 'cluster'] as const;
export type Variant = (typeof VARIANTS)[number];

export function variantText(variant: Variant): string {
  return readFileSync(join(ROOT, 'deploy/compose', `${variant}.yaml`), 'utf8');
}

/** The address for make-secrets.sh, with USER and PASSWORD. */
export function variantAddress(variant: Variant): string {
  const [address] = /redis\+\S+/.exec(variantText(variant)) ?? [];
  if (address === undefined) throw new Error(`${variant}.yaml names no address.`);
  return address;
}

/** Both files as Compose merges them: keys of mappings one by one, volumes by their place in the container. */
export function readVariant(variant: Variant): Record<string, unknown> {
  const [base, top] = [readCompose(), readCompose(variantText(variant))];
  const services = Object.entries(recordAt(top, 'services')).map(([name, own]) => {
    const before = at(base, 'services', name);
    return [name, isRecord(before) && isRecord(own) ? mergeService(before, own) : own];
  });
  return {
    ...base,
    services: { ...recordAt(base, 'services'), ...Object.fromEntries(services) },
    volumes: { ...recordAt(base, 'volumes'), ...recordAt(top, 'volumes') },
  };
}

function mergeService(base: Record<string, unknown>, top: Record<string, unknown>): Record<string, unknown> {
  const merged = Object.entries(top).map(([key, value]) => {
    const before = base[key];
    if (key === 'volumes') return [key, [...volumesByTarget(before, value).values()]];
    return [key, isRecord(before) && isRecord(value) ? { ...before, ...value } : value];
  });
  return { ...base, ...Object.fromEntries(merged) };
}

function volumesByTarget(...lists: readonly unknown[]): Map<string, string> {
  const volumes = lists.flatMap(list => (Array.isArray(list) ? list : [])).map(String);
  return new Map(volumes.map(volume => [volume.split(':')[1] ?? '', volume]));
}

function recordAt(value: unknown, key: string): Record<string, unknown> {
  const found = at(value, key);
  if (!isRecord(found)) throw new Error(`There is no ${key}.`);
  return found;
}

/** @throws {Error} if there is no service of this name. */
export function service(name: string, compose = readCompose()): Record<string, unknown> {
  const found = at(compose, 'services', name);
  if (!isRecord(found)) throw new Error(`There is no service ${name}.`);
  return found;
}

/** The environment of a service: `${NAME:-default}` filled in, mounted files and secrets at their local paths. */
export function environmentOf(name: string, compose = readCompose()): Record<string, string> {
  const { environment } = service(name, compose);
  if (!isRecord(environment)) throw new Error(`The service ${name} has no environment.`);
  const fill = (value: string) => value.replace(/\$\{\w+:-([^}]*)\}/g, (_all, fallback: string) => fallback);
  const entries = Object.entries(environment).map(([variable, value]) => {
    const text = fill(String(value));
    return [variable, mountsOf(name, compose).get(text) ?? text];
  });
  return Object.fromEntries(entries);
}

/** Paths in the container, each with the file or folder that is mounted there: of the repository, or a secret. */
function mountsOf(name: string, compose: Record<string, unknown>): Map<string, string> {
  const { volumes } = service(name, compose);
  const pairs = (Array.isArray(volumes) ? volumes : []).map(volume => String(volume).split(':'));
  return new Map([
    ...pairs.flatMap(([source = '', target = '']) =>
      source.startsWith('./') ? [[target, join(ROOT, source)] as const] : [],
    ),
    ...secretsOf(name, compose).map(secret => [`/run/secrets/${secret}`, join(secrets, secret)] as const),
  ]);
}

/** The names of the secrets that a service mounts. */
export function secretsOf(name: string, compose = readCompose()): string[] {
  const mounted = service(name, compose).secrets;
  return Array.isArray(mounted) ? mounted.map(String) : [];
}

/** `["127.0.0.1:8000:3000"]`: from port to port. */
export function publishedPorts(name: string): { readonly outside: number; readonly inside: number }[] {
  const { ports } = service(name);
  return (Array.isArray(ports) ? ports : []).map(port => {
    const [inside, outside] = String(port).split(':').reverse().map(Number);
    if (inside === undefined || outside === undefined) throw new Error(`${name} publishes ${port}: both ports wanted.`);
    return { outside, inside };
  });
}
