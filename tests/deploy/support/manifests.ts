/** Kubernetes objects in YAML, and JSON schemas. */
import { readFileSync } from 'node:fs';
import type { ErrorObject } from 'ajv';
import { parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly kind: string;
  readonly name: string;
  readonly content: Record<string, unknown>;
}

export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map(document => {
    if (document.errors.length > 0) throw new Error(document.errors.map(String).join('; '));
    const content: unknown = document.toJS();
    if (!isRecord(content)) throw new Error('A document is not an object.');
    const { kind, metadata } = content;
    return {
      kind: String(kind),
      name: isRecord(metadata) ? String(metadata.name) : '',
      content,
    };
  });
}

export function readSchema(name: string): Record<string, unknown> {
  const content: unknown = JSON.parse(readFileSync(new URL(`../schemas/${name}`, import.meta.url), 'utf8'));
  if (!isRecord(content)) throw new Error(`${name} is not a schema.`);
  return content;
}

export function describeError({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath} ${message} ${JSON.stringify(params)}`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of keys and indexes; `undefined` where there is none. */
export function at(value: unknown, ...path: ReadonlyArray<string | number>): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (Array.isArray(inner) && typeof key === 'number') return inner[key];
    return isRecord(inner) ? inner[key] : undefined;
  }, value);
}

/** The value at a path, which must be a list of objects. */
export function listAt(value: unknown, ...path: ReadonlyArray<string | number>): Record<string, unknown>[] {
  const list = at(value, ...path);
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

/** @throws {Error} if there is no such object. */
export function named(kind: string, name: string, manifests: readonly Manifest[]): Manifest {
  const found = manifests.find(manifest => manifest.kind === kind && manifest.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}.`);
  return found;
}

/** Objects that have pods. */
export function workloadsOf(manifests: readonly Manifest[]): Manifest[] {
  return manifests.filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind));
}

/** The first container of a workload. */
export function containerOf({ content }: Manifest): Record<string, unknown> {
  const [first] = listAt(content, 'spec', 'template', 'spec', 'containers');
  if (first === undefined) throw new Error('A workload without a container.');
  return first;
}
