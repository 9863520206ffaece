/** PROTOCOL.md and the catalogues of @hubbub/protocol say the same, in both directions. */
import { readFileSync } from 'node:fs';
import * as protocol from '@hubbub/protocol';
import { environmentName, loadConfig, settingNames } from '@hubbub/runtime';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../apps/edge/src/limits/limit-exceeded.js';
import { MarkdownPage } from './support/markdown-tables.js';

const PAGE = new URL('../PROTOCOL.md', import.meta.url);
const page = new MarkdownPage(readFileSync(PAGE, 'utf8'));

/** A column as a sorted list, to be compared with a catalogue: neither may have more than the other. */
function column(heading: string, name: string): string[] {
  return page
    .table(heading, name)
    .map(row => row[name] ?? '')
    .sort();
}

describe('PROTOCOL.md', () => {
  test('section 1 refuses with codes of the catalogue only', () => {
    const codes = page.table('1. Connecting', 'status', 'code').map(row => row.code);
    expect(codes.length).toBeGreaterThan(0);
    expect(codes.filter(code => !protocol.isErrorCode(code))).toEqual([]);
  });

  test('section 1 names the subprotocols', () => {
    const named = new Set(page.section('1. Connecting').match(/hubbub\.v\d\.\w+/g));
    expect(named).toEqual(new Set(Object.values(protocol.SUBPROTOCOLS)));
  });

  test('section 2 names the fields of a frame', () => {
    // Every field of `Frame`, checked by the compiler; the test compares it with the table.
    const fields: Record<keyof protocol.Frame, true> = {
      type: true,
      room: true,
      payload: true,
      id: true,
      message_id: true,
      sender: true,
      timestamp: true,
      offset: true,
      epoch: true,
    };
    expect(column('2. Frames', 'field')).toEqual(Object.keys(fields).sort());
    expect(page.section('2. Frames')).toContain(`1 to ${protocol.FRAME_ID_MAX_BYTES} bytes`);
  });

  test('section 2.1 has the frames of clients', () => {
    expect(column('2.1 Client → edge', 'type')).toEqual([...protocol.CLIENT_FRAME_TYPES].sort());
  });

  test('section 2.2 has the frames of edges', () => {
    expect(column('2.2 Edge → client', 'type')).toEqual([...protocol.EDGE_FRAME_TYPES].sort());
  });

  test('section 2.1 is answered by frames of section 2.2, with codes of section 3', () => {
    const words = page
      .table('2.1 Client → edge', 'type', 'answered by', 'also causes')
      .flatMap(
        row =>
          `${row['answered by']} ${row['also causes']}`.match(/(?<=`)[a-z_]{3,}(?=`)|(?<=`)[A-Z_]{3,}(?=`)/g) ?? [],
      );
    const known = new Set<string>([...protocol.EDGE_FRAME_TYPES, ...Object.keys(protocol.ERROR_CATALOGUE)]);
    expect(words.length).toBeGreaterThan(0);
    expect(words.filter(word => !known.has(word))).toEqual([]);
  });

  test('section 2.2 has every feature', () => {
    expect(column('2.2 Edge → client', 'feature')).toEqual([...protocol.FEATURES].sort());
  });

  test('section 3 has every error, and whether to try again', () => {
    const told = page.table('3. Errors', 'code', 'retryable').map(row => [row.code, row.retryable]);
    const known = Object.entries(protocol.ERROR_CATALOGUE).map(([code, { retryable }]) => [
      code,
      retryable ? 'yes' : 'no',
    ]);
    expect(told.sort()).toEqual(known.sort());
  });

  test('section 4 has every close code, and what a client does', () => {
    const told = page
      .table('4. Close codes', 'code', 'name', 'client should')
      .map(row => [Number(row.code), row.name, row['client should']]);
    const known = Object.entries(protocol.CLOSE_CODES).map(([name, code]) => [code, name, protocol.closeAdvice(code)]);
    expect(told.sort()).toEqual(known.sort());
  });

  test('section 4 tells the ranges', () => {
    const ranges = [...page.section('4. Close codes').matchAll(/(\d{4}) to (\d{4}): (\w+)/g)];
    expect(ranges.map(([, , , advice]) => advice)).toEqual(['reconnect', 'renew', 'stop']);
    for (const [, first, last, advice] of ranges) {
      expect([Number(first), Number(last)].map(protocol.closeAdvice)).toEqual([advice, advice]);
    }
    expect(page.section('4. Close codes')).toContain(`Any other code: ${protocol.closeAdvice(3999)}.`);
  });

  test('section 5 has the grammar of room names', () => {
    const section = page.section('5. Room names');
    const [, grammar = '(none)'] = /`(\[A-Za-z.*?)`/.exec(section) ?? [];
    const told = new RegExp(`^${grammar}$`);
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code);
      for (const name of [character, `a${character}`]) {
        expect(protocol.isRoomName(name), JSON.stringify(name)).toBe(told.test(name));
      }
    }
    expect(section).toContain(`1 to ${protocol.ROOM_NAME_MAX_BYTES} bytes`);
    expect(section).toContain(`\`${protocol.DEFAULT_NAMESPACE}\``);
  });

  test('section 6 has every limit, and its default', () => {
    const told = page.table('6. Limits', 'name', 'default').map(row => [row.name, Number(row.default)]);
    expect(told.sort()).toEqual(Object.entries(protocol.DEFAULT_LIMITS).sort());
  });

  test('section 6 has every limit that is counted, and settings with their defaults', () => {
    const config: Readonly<Record<string, unknown>> = { ...loadConfig({}) };
    const defaults = new Map(settingNames().map(name => [environmentName(name), config[name]]));
    const settings = page.table('6. Limits', 'setting', 'default');
    expect(settings.length).toBeGreaterThan(5);
    for (const { setting = '', default: told } of settings)
      expect([setting, told]).toEqual([setting, String(defaults.get(setting))]);
    // A limit of the welcome is a setting too, by its name.
    for (const { name = '', default: told } of page.table('6. Limits', 'name', 'default')) {
      expect([name, told]).toEqual([name, String(defaults.get(`HUBBUB_${name.toUpperCase()}`))]);
    }
    const section = page.section('6. Limits');
    expect(Object.keys(LIMITS).filter(limit => !section.includes(`\`${limit}\``))).toEqual([]);
  });

  test('every setting that the page names is one', () => {
    const known = new Set(settingNames().map(environmentName));
    const named = new Set(readFileSync(PAGE, 'utf8').match(/HUBBUB_[A-Z_]+[A-Z]/g));
    expect(named.size).toBeGreaterThan(10);
    expect([...named].filter(name => !known.has(name) && name !== 'HUBBUB_CONFIG')).toEqual([]);
  });

  test('section 7 has the channels of services', () => {
    const channels = new protocol.Channels();
    const made = [channels.room('<room>'), channels.user('<user id>'), channels.broadcast];
    expect(column('7. What services publish', 'channel')).toEqual(made.sort());
    expect(page.section('7. What services publish')).toContain(`PUBLISH '${channels.room('general')}'`);
  });

  test('section 7 has the reserved frames, and who makes them', () => {
    const named = page
      .table('7. What services publish', 'reserved type', 'made by')
      .map(row => [row['reserved type'], row['made by']]);
    expect(named.sort()).toEqual(Object.entries(protocol.RESERVED_FRAMES).sort());
    expect(page.section('7. What services publish')).toContain(`\`${protocol.RESERVED_TYPE_PREFIX}\` are reserved`);
  });

  test('section 7 has the letters of an envelope’s header', () => {
    const full: Required<protocol.EnvelopeHeader> = {
      encoding: 'json',
      publishedAtMs: 1,
      excludeSession: 's',
      notifyExcluded: true,
      excludeUser: 'u',
      sessions: ['s'],
      questions: [1],
      room: 'r',
      probe: 1,
      control: { do: 'close_room' },
      conflationKey: 'k',
      offset: 1,
      epoch: 'e',
    };
    const envelope = Buffer.from(protocol.encodeEnvelope(full, new Uint8Array())).toString();
    const header = JSON.parse(envelope.slice(1, -1)) as object;
    expect(column('7. What services publish', 'header')).toEqual(Object.keys(header).sort());
  });
});

describe('the page is really read', () => {
  const small = new MarkdownPage('# A\n\n| code | is |\n|---|---|\n| `X` | `y` or `z` |\n\n## B\ntext\n');

  test('cells lose their quotes when they are one word of code', () => {
    expect(small.table('A', 'code')).toEqual([{ code: 'X', is: '`y` or `z`' }]);
  });

  test('a missing section or column is an error, and not an empty table', () => {
    expect(() => small.table('C', 'code')).toThrow('no section called "C"');
    expect(() => small.table('A', 'name')).toThrow('no table with the columns name');
    expect(() => small.table('B', 'code')).toThrow('no table');
  });
});
