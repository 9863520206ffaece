/** docs/settings.md: what the settings say of themselves, as Markdown. */
import { type DescribedSetting, describedNamespaceFields, describedSettings, RELATIONS } from '@hubbub/runtime';

const INTRODUCTION = `# Settings

Written by \`hubbub config docs\`; a test holds it against the code. Change the settings' descriptions in
\`packages/runtime/src/config\`, then run \`npx hubbub config docs > docs/settings.md\`.

A setting has one name: \`adminPort\` in the file is \`HUBBUB_ADMIN_PORT\` in the environment. Variables go over the file,
the file over the defaults. Every problem is told at once and stops the start (exit code 78); an unknown name is one.

| variable | meaning |
| --- | --- |
| \`HUBBUB_CONFIG\` | The file: YAML or JSON, with the settings' names, \`namespaces\` and \`roomPaths\`. |
| \`NODE_ENV\` | \`production\`: no weak secret, no playground, no origin unless set. Else development: hosts and origins of this machine only. |

\`hubbub config print\` shows what is in effect and where it comes from, \`hubbub config check\` what is wrong,
\`hubbub doctor\` what the machine and Redis lack.`;

const NAMESPACES = `## Namespaces

What stands before the first colon of a room; \`default\` for rooms without one. Only the file holds them. A namespace that
is not named has these defaults; \`default\` is public unless it says otherwise.

\`\`\`yaml
namespaces:
  chat: { public: true, historySize: 1000 }
\`\`\``;

const RELATIONS_INTRODUCTION = `## Relations

What must hold between two settings. Where it does not, a process does not start, or logs the warning \`settings_relation\`.`;

const ROOM_PATHS = `## Room paths

Paths of your own that open a session in a room, beside \`/rooms/{room_id}/ws\`. Only the file holds them: a template of the
path, below \`basePath\`, and one of the room.

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
  return `${[
    INTRODUCTION,
    ...groups,
    `${NAMESPACES}\n\n${table(['setting', 'default', 'values', 'meaning'], fields)}`,
    ROOM_PATHS,
    `${RELATIONS_INTRODUCTION}\n\n${relationsTable()}`,
  ].join('\n\n')}\n`;
}

function relationsTable(): string {
  const rows = RELATIONS.map(({ setting, bound, other, because, severity }) => {
    const otherNames = other.replace(/[a-z]\w+/g, code);
    return [`${code(setting)} ${bound} ${otherNames}`, because, severity === 'problem' ? 'no start' : 'a warning'];
  });
  return table(['what must hold', 'otherwise', 'what follows'], rows);
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
