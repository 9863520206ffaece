/** The manifests in `deploy/kubernetes`, by file, and the schema of each kind. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { parseAllDocuments } from 'yaml';
import { deployFile } from './proxy.js';

export interface Manifest {
  /** From `deploy/kubernetes`. */
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  readonly content: Record<string, unknown>;
}

export const KUBERNETES = deployFile('kubernetes');

/** All YAML files below `deploy/kubernetes`, from there. */
export function yamlFiles(folder = KUBERNETES): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return yamlFiles(path);
    return /\.yaml$/.test(name) ? [relative(KUBERNETES, path)] : [];
  });
}

/** The objects of a file that are for the API server. */
export function manifestsOf(file: string): Manifest[] {
  return parseManifests(readFileSync(join(KUBERNETES, file), 'utf8'), file);
}

export function parseManifests(text: string, file: string): Manifest[] {
  return parseAllDocuments(text).map(document => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors.map(String).join('; ')}`);
    const content: unknown = document.toJS();
    if (!isRecord(content)) throw new Error(`${file} contains a document that is not an object.`);
    const { kind, metadata } = content;
    return {
      file,
      kind: String(kind),
      name: isRecord(metadata) ? String(metadata.name) : '',
      content,
    };
  });
}

const schemas = new Map<string, ValidateFunction>();
const ajv = new Ajv({ strict: false, allErrors: true });

/** The errors that the API server would report; a kind without a schema is a problem too. */
export function problemsOf({ file, kind, name, content }: Manifest): string[] {
  const where = `${file}: ${kind} ${name}`;
  const id = `${String(content.apiVersion)} ${kind}`;
  const validate = schemas.get(id) ?? compile(id);
  if (validate === undefined) return [`${where}: no schema for ${id}`];
  schemas.set(id, validate);
  return validate(content) ? [] : (validate.errors ?? []).map(error => `${where}: ${describeError(error)}`);
}

function compile(id: string): ValidateFunction | undefined {
  const ofOperator = readSchema('prometheus-operator.json')[id];
  if (isRecord(ofOperator)) return ajv.compile(ofOperator);
  const { kinds, definitions } = readSchema('kubernetes.json');
  const kind = isRecord(kinds) ? kinds[id] : undefined;
  return isRecord(kind) ? ajv.compile({ ...kind, definitions }) : undefined;
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
