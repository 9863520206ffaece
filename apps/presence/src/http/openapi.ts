/** The OpenAPI 3.1 description, made from the routes and schemas that answer. */
import { z } from 'zod';
import { ROUTES, type Route } from './routes.js';
import { errorSchema } from './schemas.js';

const FAILURES: Readonly<Record<string, string>> = {
  400: 'A parameter is wrong; the message names it.',
  401: 'The API key is missing or wrong.',
  503: 'The registry does not answer; try again.',
};

export function openApiDescription(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hubbub presence',
      version: '1',
      description: 'Who is in a room, where a user is, how many are online. Answers what was committed last.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ apiKey: [] }],
    paths: Object.fromEntries(ROUTES.map(route => [route.path, { get: operation(route) }])),
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'One of HUBBUB_PRESENCE_API_KEYS.' } },
    },
  };
}

function operation({ path, summary, query, answer }: Route): object {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1, maxLength: 128 },
  }));
  const inQuery = Object.entries(query.shape).map(([name, schema]) => {
    const { description, ...json } = jsonSchema(schema as z.ZodType, 'input');
    return { name, in: 'query', required: false, ...(description !== undefined && { description }), schema: json };
  });
  const failures = Object.entries(FAILURES).map(([status, description]) => [status, content(description, errorSchema)]);
  return {
    summary,
    operationId: path.replace(/[{}]/g, '').split('/').filter(Boolean).join('_'),
    parameters: [...inPath, ...inQuery],
    responses: { 200: content('As of the last commit.', answer), ...Object.fromEntries(failures) },
  };
}

function content(description: string, schema: z.ZodType): object {
  return { description, content: { 'application/json': { schema: jsonSchema(schema, 'output') } } };
}

/** OpenAPI 3.1 takes JSON Schema 2020-12 as it is. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return json;
}
