/** Programs that do again what the page has just done: the request of one frame, as curl, JavaScript and Python. */
import type { Frame, Sender } from '@hubbub/client';

export const LANGUAGES = ['curl', 'JavaScript', 'Python'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface SnippetContext {
  /** `ws://…/ws` */
  readonly socketUrl: string;
  /** An address that returns `{ token }`; `undefined` if the page was given a token. */
  readonly tokenUrl: string | undefined;
  readonly sender: Sender | undefined;
}

/** Frames that the SDK sends by itself, and those that only report a key press. */
const UNINTERESTING = ['ping', 'typing', 'stop_typing', 'refresh', 'resume'];

/** Whether a program with this frame makes sense. */
export function hasSnippet({ type }: Frame): boolean {
  return !UNINTERESTING.includes(type);
}

export function snippetOf(frame: Frame, language: Language, context: SnippetContext): string {
  // With the old message_id a room with history would take it for a repetition.
  const { message_id, id, ...request } = frame;
  return { curl: curlSnippet, JavaScript: javaScriptSnippet, Python: pythonSnippet }[language](request, context);
}

/** `join_room` and `leave_room` may name their room in the payload. */
function roomOf({ room, payload }: Frame): string | undefined {
  return room ?? (typeof payload?.room_id === 'string' ? payload.room_id : undefined);
}

/** The HTTP API publishes what members of the room then receive; it reads histories and rosters. */
function curlSnippet(frame: Frame, { sender }: SnippetContext): string {
  const room = roomOf(frame);
  const path = room === undefined ? undefined : `/rooms/${encodeURIComponent(room)}`;
  const intro = `# Needs the HTTP API on the Redis of this hub (docs/http-api.md):
# HUBBUB_REDIS_URL=redis://127.0.0.1:6379 HUBBUB_API_KEYS=a-key HUBBUB_ADMIN_PORT=9103 npx hubbub api
API=http://127.0.0.1:8082 KEY=a-key
`;
  const request = (rest: string, ...options: string[]): string =>
    `${intro}curl -sS "$API${path}${rest}" -H "Authorization: Bearer $KEY"${options.map(option => ` \\\n  ${option}`).join('')}\n`;
  switch (path === undefined ? '' : frame.type) {
    case 'history':
      return request('/history');
    case 'join_room':
    case 'online_users':
      return request('/roster');
    case 'send_message': {
      const message = { type: 'new_message', payload: frame.payload ?? {}, ...(sender && { sender }) };
      return request('/messages', "-H 'Content-Type: application/json'", `-d ${shellText(JSON.stringify(message))}`);
    }
    default:
      return `# The HTTP API has no request for ${frame.type}: only clients send it.\n`;
  }
}

function javaScriptSnippet(frame: Frame, { socketUrl, tokenUrl }: SnippetContext): string {
  const room = roomOf(frame);
  const isJoin = frame.type === 'join_room';
  return [
    '// Save as again.mjs where @hubbub/client is installed, such as a clone of Hubbub; run: node again.mjs',
    "import { HubbubClient } from '@hubbub/client';",
    '',
    tokenUrl === undefined
      ? 'const token = process.env.TOKEN;'
      : `const { token } = await (await fetch(${text(tokenUrl)})).json();`,
    `const client = new HubbubClient({ url: ${text(socketUrl)}, token });`,
    'await client.connect();',
    ...(room === undefined ? [] : [`const room = client.room(${text(room)});`, 'await room.join();']),
    isJoin ? `console.log('joined', room.name);` : `console.log(await ${javaScriptCall(frame, room)});`,
    'client.close();',
    '',
  ].join('\n');
}

function javaScriptCall({ type, payload = {} }: Frame, room: string | undefined): string {
  const json = JSON.stringify(payload);
  switch (type) {
    case 'send_message':
      return `room.send(${json})`;
    case 'leave_room':
      return 'room.leave()';
    case 'history':
      return `room.history(${json})`;
    case 'online_users':
      return 'room.onlineUsers()';
    case 'set_status':
      return `client.setStatus(${JSON.stringify(payload.status ?? undefined) ?? ''})`;
    default:
      return `${room === undefined ? 'client' : 'room'}.sendEvent(${text(type)}, ${json})`;
  }
}

/** A plain WebSocket client: each request waits for the answer with its id. */
function pythonSnippet(frame: Frame, { socketUrl, tokenUrl }: SnippetContext): string {
  const room = roomOf(frame);
  const join: Frame[] =
    room === undefined || frame.type === 'join_room' ? [] : [{ type: 'join_room', room, id: 'join' }];
  const requests = [...join, { ...frame, id: 'request' }];
  return [
    '# pip install websockets, then: python again.py',
    'import json, os, urllib.request',
    'from websockets.sync.client import connect',
    '',
    tokenUrl === undefined
      ? 'token = os.environ["TOKEN"]'
      : `token = json.load(urllib.request.urlopen(${text(tokenUrl)}))["token"]`,
    `with connect(${text(`${socketUrl}?token=`)} + token) as socket:`,
    '    for request in [',
    // A JSON text in JSON is a string of Python too.
    ...requests.map(request => `        ${text(JSON.stringify(request))},`),
    '    ]:',
    '        socket.send(request)',
    '        answer = {}',
    '        while answer.get("id") != json.loads(request)["id"]:',
    '            answer = json.loads(socket.recv())',
    '        print(json.dumps(answer))',
    '',
  ].join('\n');
}

function text(value: string): string {
  return JSON.stringify(value);
}

function shellText(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
