/** Schemas of payloads by frame type, made with any library that implements Standard Schema (https://standardschema.dev). */
import { HubbubError } from './errors.js';

/** A segment of the path to an invalid value. */
type Segment = PropertyKey | { readonly key: PropertyKey };

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<{ readonly message: string; readonly path?: readonly Segment[] | undefined }> };

/** Version 1 of the interface, copied from its specification. zod, Valibot and ArkType implement it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** By frame type; `new_message` is the type of messages. */
export type PayloadSchemas = Readonly<Record<string, StandardSchema>>;

type TypesOf<Schema> = Schema extends StandardSchema ? NonNullable<Schema['~standard']['types']> : never;

/** The payloads before validation: those that are sent. */
export type InputsOf<Schemas> = { readonly [Name in keyof Schemas]: TypesOf<Schemas[Name]>['input'] };

/** The payloads after validation: those that arrive. */
export type OutputsOf<Schemas> = { readonly [Name in keyof Schemas]: TypesOf<Schemas[Name]>['output'] };

/**
 * Validates a payload. Without a schema for its type every payload is valid.
 * @returns the output of the schema
 * @throws {HubbubError} `INVALID_PAYLOAD`, which names the path to the first invalid value
 */
export function validatePayload(schemas: PayloadSchemas, type: string, payload: unknown): unknown {
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema === undefined) return payload;
  const result = resultOf(schema, type, payload ?? {});
  if (result.issues === undefined) return result.value;
  const [{ message, path = [] } = { message: 'invalid' }] = result.issues;
  const keys = path.map(segment => String(typeof segment === 'object' ? segment.key : segment));
  throw new HubbubError('INVALID_PAYLOAD', `${['payload', ...keys].join('.')} of ${type}: ${message}`);
}

function resultOf(schema: StandardSchema, type: string, payload: unknown): SchemaResult<unknown> {
  let result: SchemaResult<unknown> | Promise<SchemaResult<unknown>>;
  try {
    result = schema['~standard'].validate(payload);
  } catch (cause) {
    throw new HubbubError('INVALID_PAYLOAD', `The schema of ${type} threw: ${String(cause)}`, { cause });
  }
  if (!(result instanceof Promise)) return result;
  result.catch(() => {}); // The result is not used.
  throw new HubbubError('INVALID_PAYLOAD', `The schema of ${type} is asynchronous; use a synchronous one.`);
}
