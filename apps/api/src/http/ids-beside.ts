/** Routes with their ids beside the path: a URL loses some ids, and proxies decode or rewrite others. */
import { z } from 'zod';
import { parse, roomId, userId } from './fields.js';
import type { RawRequest, Route } from './route.js';

const IDS: Readonly<Record<string, z.ZodType>> = { room_id: roomId, user_id: userId };

/** The route, and the same one without the ids in its path: they are in the body, or in the query of a GET. */
export function withIdsBeside(original: Route): readonly Route[] {
  const names = [...original.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const ids = z.strictObject(Object.fromEntries(names.map(name => [name, IDS[name] ?? z.string()])));
  const isGet = original.method === 'GET';
  const beside: Route = {
    ...original,
    path: original.path.replace(/\/\{\w+\}/g, ''),
    operationId: `${original.operationId}ById`,
    summary: `${original.summary}; with the ids in the ${isGet ? 'query' : 'body'}`,
    bodyOptional: false,
    query: isGet ? original.query.extend(ids.shape) : original.query,
    body: original.body instanceof z.ZodObject ? original.body.extend(ids.shape) : original.body,
    async handle(parts, request) {
      const place = isGet ? 'query' : 'body';
      const fields: Record<string, unknown> = { ...Object(request[place]) };
      const parameters = parse(ids, taken(fields, names), `the ${place}`) as RawRequest['parameters'];
      return await original.handle(parts, { ...request, parameters, [place]: fields });
    },
  };
  return [original, beside];
}

/** Removes the fields of these names, and returns them. */
function taken(fields: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const found = Object.fromEntries(names.filter(name => name in fields).map(name => [name, fields[name]]));
  for (const name of names) delete fields[name];
  return found;
}
