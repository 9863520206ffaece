/** Renders docs/settings.md from the descriptions of the settings. */
import {
  type DescribedSetting,
  describedNamespaceFields,
  describedPusherAppFields,
  describedSettings,
  describedWebhookFields,
  environmentName,
  RELATIONS,
  settingsWithFile,
} from '@hubbub/config';

const INTRODUCTION = `# Settings

\`hubbub config docs\` generates this page, and a test compares it with the code.
To change it, edit the descriptions in \`packages/config/src\`.
Then run \`npx hubbub config docs > docs/settings.md\`.

A setting has one name: \`adminPort\` in the file is \`HUBBUB_ADMIN_PORT\` in the environment.
Environment variables override the file, and the file overrides the defaults.
The process reports all problems together and does not start (exit code 78).
An unknown name is a problem.

| variable | meaning |
| --- | --- |
| \`HUBBUB_CONFIG\` | Path of the configuration file: YAML or JSON with settings, \`namespaces\`, \`roomPaths\`, \`webhooks\`, \`pusherApps\`. |
| \`NODE_ENV\` | \`production\`: no weak secret, no playground, no default origin. Else development: only hosts and origins of this machine. |

- \`hubbub config print\` shows the effective values and their sources.
- \`hubbub config check\` shows the problems.
- \`hubbub doctor\` shows what the machine and Redis lack.`;

const SECRET_FILES = `## Secrets in files

Each of these settings may be in a file of its own, which \`<NAME>_FILE\` names (in the file: \`<name>File\`):
${settingsWithFile()
  .map(name => code(environmentName(name)))
  .join(', ')}.

\`\`\`sh
export HUBBUB_JWT_SECRET_FILE=/run/secrets/jwt-secret
\`\`\`

- Such a file contains only the value.
  Line breaks at its end are not part of the value.
- A list has one item a line, or commas between its items.
- The process reads the file at its start, as it does with all settings.
  With \`--workers\`, SIGHUP replaces the workers, and each new worker reads it again.
- A problem of the value names the path, and never the value.
- A setting and its file together are a problem.`;

const NAMESPACES = `## Namespaces

The namespace of a room is the part of its name before the first colon.
Rooms without a colon are in the namespace \`default\`.
Only the file can configure namespaces.
A namespace that the file does not name has the defaults below.
The namespace \`default\` is public unless the file sets \`public: false\`.

\`\`\`yaml
namespaces:
  chat: { public: true, historySize: 1000 }
\`\`\``;

const WEBHOOKS = `## Receivers of webhooks

A webhook sends events to an HTTP receiver ([webhooks](webhooks.md)).
Only the file can configure webhooks.
Each entry has a name of 1 to 48 letters, digits, \`_\` and \`-\`.

\`\`\`yaml
webhooks:
  shop:
    url: https://shop.example.com/hubbub
    secrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw] # published: use your own
    lifecycle: [room_occupied, room_vacated]
\`\`\``;

const PUSHER_APPS = `## Apps of the Pusher protocol

An app lets unchanged clients and server SDKs of Pusher use the cluster ([the Pusher protocol](pusher.md)).
Only the file can configure apps, and every process of the cluster needs the same ones.
Each app has its own namespaces, which the file cannot configure.

\`\`\`yaml
pusherApps:
  - { id: shop, key: 278d425bdf160c739803, secret: 7ad3773142a6692b25b8 } # published: use your own
\`\`\``;

const RELATIONS_INTRODUCTION = `## Relations

Some settings depend on each other.
If a relation does not hold, the process does not start, or it logs the warning \`settings_relation\`.`;

const ROOM_PATHS = `## Room paths

A room path is a custom path that opens a session in a room, in addition to \`/rooms/{room_id}/ws\`.
Only the file can configure room paths.
Each entry has a template of the path (below \`basePath\`) and a template of the room.

\`\`\`yaml
roomPaths:
  /projects/{project}/ws: project:{project}
\`\`\``;

export function settingsDocument(): string {
  const groups = describedSettings().map(({ title, settings }) => {
    const rows = settings.map(setting => [code(setting.name), code(setting.variable), ...columns(setting)]);
    return `## ${title}\n\n${table(['setting', 'variable', 'default', 'values', 'meaning'], rows)}`;
  });
  const fields = describedNamespaceFields().map(field => [code(field.name), ...columns(field)]);
  const webhooks = describedWebhookFields().map(field => [code(field.name), ...columns(field)]);
  const pusherApps = describedPusherAppFields().map(field => [code(field.name), ...columns(field)]);
  return `${[
    INTRODUCTION,
    SECRET_FILES,
    ...groups,
    `${NAMESPACES}\n\n${table(['setting', 'default', 'values', 'meaning'], fields)}`,
    ROOM_PATHS,
    `${WEBHOOKS}\n\n${table(['setting', 'default', 'values', 'meaning'], webhooks)}`,
    `${PUSHER_APPS}\n\n${table(['setting', 'default', 'values', 'meaning'], pusherApps)}`,
    `${RELATIONS_INTRODUCTION}\n\n${relationsTable()}`,
  ].join('\n\n')}\n`;
}

function relationsTable(): string {
  const rows = RELATIONS.map(({ setting, bound, other, because, severity }) => {
    const otherNames = other.replace(/[a-z]\w+/g, code);
    return [`${code(setting)} ${bound} ${otherNames}`, because, severity === 'problem' ? 'no start' : 'a warning'];
  });
  return table(['relation', 'otherwise', 'consequence'], rows);
}

function columns({ default: value, values, meaning }: DescribedSetting): string[] {
  return [value === undefined ? 'unset' : code(JSON.stringify(value)), values, meaning];
}

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
