/** Paths of the user's own choice that open a session in a room. Only the configuration file holds them. */
import { isRoomName } from '@hubbub/protocol';
import { z } from 'zod';

/** A piece of a template: fixed text, or a name that its value replaces. */
export type TemplatePart = { readonly text: string } | { readonly name: string };

export interface RoomPath {
  /** As written, such as `/projects/{project}/ws`; below the base path. */
  readonly path: string;
  /** Of the path, in its order. */
  readonly names: readonly string[];
  /** Of the room. Between two names there is text. */
  readonly room: readonly TemplatePart[];
}

/** Clients resolve . and .. before they ask. */
const SEGMENT = /^((?!\.{1,2}$)[A-Za-z0-9._~-]+|\{[a-z][a-z0-9_]*\})$/;
const NAME = /^\{([a-z][a-z0-9_]*)\}$/;
const NAMES = /\{[a-z][a-z0-9_]*\}/g;

/** Paths that an edge has anyway, with `{}` for names. */
const TAKEN = ['/ws', '/ws/online', '/rooms/{}/ws'];

export const roomPathsSchema = z
  .preprocess(
    paths => paths ?? {},
    z.record(z.string(), z.string({ error: 'expected the template of a room, such as chat:{room}' }), {
      error: 'expected an object from path to room, such as /chats/{chat}/ws to chat:{chat}',
    }),
  )
  .transform((entries, context): readonly RoomPath[] => {
    const taken = new Map(TAKEN.map(shape => [shape, 'is a path of every edge']));
    return Object.entries(entries).flatMap(([path, room]) => {
      const refuse = (message: string): [] => {
        context.addIssue({ code: 'custom', message, path: [path] });
        return [];
      };
      const segments = path.split('/').slice(1);
      if (!path.startsWith('/') || !segments.every(segment => SEGMENT.test(segment))) {
        return refuse(
          'expected a path like /projects/{project}/ws: segments of letters, digits, . _ ~ -, or a name in braces',
        );
      }
      const names = segments.flatMap(segment => NAME.exec(segment)?.[1] ?? []);
      if (new Set(names).size < names.length) return refuse('expected each name once in the path');
      const shape = path.replace(/\{[^}]*\}/g, '{}');
      const other = taken.get(shape);
      if (other !== undefined) return refuse(`${other}; expected another`);
      taken.set(shape, `means the same requests as ${path}`);
      const problem = roomProblem(room, names);
      return problem === undefined ? [{ path, names, room: templateParts(room) }] : refuse(problem);
    });
  });

function roomProblem(room: string, names: readonly string[]): string | undefined {
  if (!isRoomName(room.replace(NAMES, 'a'))) {
    return `expected the template of a room, such as chat:{chat}, and not ${JSON.stringify(room)}`;
  }
  if (room.includes('}{')) {
    return 'expected text between two names of the room: without it two paths could mean one room';
  }
  const unknown = templateParts(room).find(part => 'name' in part && !names.includes(part.name));
  if (unknown !== undefined && 'name' in unknown) return `{${unknown.name}} of the room is not in the path`;
  return undefined;
}

function templateParts(template: string): TemplatePart[] {
  return template
    .split(/(\{[^}]*\})/)
    .filter(piece => piece !== '')
    .map(piece => (piece.startsWith('{') ? { name: piece.slice(1, -1) } : { text: piece }));
}
