/** PROTOCOL.md and the catalogues of @hubbub/protocol agree, in both directions. */
import { readFileSync } from 'node:fs';
import { environmentName, loadConfig, settingNames } from '@hubbub/config';
import * as protocol from '@hubbub/protocol';
import { RIGHTS } from '@hubbub/protocol';
import { parsePlainMessage } from '@hubbub/protocol/service-message';
import { describe, expect, test } from 'vitest';
import { LEAVING_STATUS, REFUSAL_CLOSE_CODE, REFUSAL_STATUS } from '../apps/edge/src/admission/admission.js';
import { LIMITS } from '../apps/edge/src/limits/limit-exceeded.js';
import { MarkdownPage } from './support/markdown-tables.js';

const PAGE = new URL('../PROTOCOL.md', import.meta.url);
const page = new MarkdownPage(readFileSync(PAGE, 'utf8'));
/** Where section 7 leads: what only programs with Redis need. */
const contract = new MarkdownPage(readFileSync(new URL('../docs/redis-contract.md', import.meta.url), 'utf8'));

/** A column as a sorted list, to be compared with a catalogue: neither may have more than the other. */
function column(heading: string, name: string, within = page): string[] {
  return within
    .table(heading, name)
    .map(row => row[name] ?? '')
    .sort();
}

describe('PROTOCOL.md', () => {
  test('section 1 refuses with codes of the catalogue only', () => {
    const codes = page.table('1.8 Refusals', 'status', 'code').map(row => row.code);
    expect(codes.length).toBeGreaterThan(0);
    expect(codes.filter(code => !protocol.isErrorCode(code))).toEqual([]);
  });

  test('section 1 has the status of every refusal, and what a client does', () => {
    const notice = page
      .table('1.8 Refusals', 'status', 'code', 'a client')
      // The engine answers 431; 405 has the code of 404.
      .filter(({ status }) => status !== '431' && status !== '405')
      .map(row => [row.code, row.status, row['a client']]);
    const known = Object.entries(REFUSAL_STATUS).map(([code, status]) => [
      code,
      status.slice(0, 3),
      code === 'UNAUTHORIZED'
        ? 'renews'
        : new protocol.HubbubError(code as protocol.ErrorCode, '').retryable
          ? 'retries'
          : 'stops',
    ]);
    const leaving = ['UNAVAILABLE', LEAVING_STATUS.slice(0, 3), 'retries'];
    // A repeated header: any other code is answered with 400.
    expect(notice.sort()).toEqual([...known, leaving, ['INVALID_FORMAT', '400', 'stops']].sort());
  });

  test('section 1 has the close code of every status', () => {
    const advice = { stop: 'stops', renew: 'renews', reconnect: 'retries' };
    const closeCodes = new Map(
      Object.entries(REFUSAL_STATUS).map(([code, status]) => [
        status.slice(0, 3),
        REFUSAL_CLOSE_CODE[code as protocol.ErrorCode] ?? protocol.CLOSE_CODES.BAD_REQUEST,
      ]),
    );
    const rows = page.table('1.9 Refusals in a close frame', 'status', 'close code', 'a client');
    expect(rows.length).toBe(5);
    for (const { status = '', 'close code': code, 'a client': does } of rows) {
      expect([status, Number(code)]).toEqual([status, closeCodes.get(status)]);
      expect([status, does]).toEqual([status, advice[protocol.closeAdvice(Number(code))]]);
    }
  });

  test('section 1 has every right', () => {
    expect(column('1.3 Rights', 'right')).toEqual([...RIGHTS].sort());
  });

  test('section 1 names the subprotocols', () => {
    const named = new Set(page.section('1.6 Subprotocols').match(/hubbub\.v\d\.\w+/g));
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
    expect(page.section('2. Frames')).toContain(`text of 1 to ${protocol.FRAME_ID_MAX_BYTES} bytes`);
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
    const known = new Set<string>([...protocol.EDGE_FRAME_TYPES, ...protocol.ERROR_CODES]);
    expect(words.length).toBeGreaterThan(0);
    expect(words.filter(word => !known.has(word))).toEqual([]);
  });

  test('section 2.2 has every feature', () => {
    expect(column('`welcome`', 'feature')).toEqual([...protocol.FEATURES].sort());
  });

  test('section 3 has every error, and whether to try again', () => {
    const notice = page.table('3. Errors', 'code', 'retryable').map(row => [row.code, row.retryable]);
    const known = protocol.ERROR_CODES.map(code => [code, new protocol.HubbubError(code, '').retryable ? 'yes' : 'no']);
    expect(notice.sort()).toEqual(known.sort());
  });

  test('section 4 has every close code, and what a client does', () => {
    const notice = page
      .table('4. Close codes', 'code', 'name', 'client should')
      .map(row => [Number(row.code), row.name, row['client should']]);
    const known = Object.entries(protocol.CLOSE_CODES).map(([name, code]) => [code, name, protocol.closeAdvice(code)]);
    expect(notice.sort()).toEqual(known.sort());
  });

  test('section 4 lists the ranges', () => {
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
    const notice = new RegExp(`^${grammar}$`);
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code);
      for (const name of [character, `a${character}`]) {
        expect(protocol.isRoomName(name), JSON.stringify(name)).toBe(notice.test(name));
      }
    }
    expect(section).toContain(`1 to ${protocol.ROOM_NAME_MAX_BYTES} bytes`);
    expect(section).toContain(`\`${protocol.DEFAULT_NAMESPACE}\``);
  });

  test('section 6 has every limit, and its default', () => {
    const notice = page.table('6. Limits', 'name', 'default').map(row => [row.name, Number(row.default)]);
    expect(notice.sort()).toEqual(Object.entries(protocol.DEFAULT_LIMITS).sort());
  });

  test('section 6 has every limit that is counted, and settings with their defaults', () => {
    const config: Readonly<Record<string, unknown>> = { ...loadConfig({}) };
    const ofMemory = new Set(['maxSessions', 'maxTotalBufferedBytes']);
    const defaults = new Map(
      settingNames().map(name => [environmentName(name), ofMemory.has(name) ? 'by memory' : config[name]]),
    );
    const settings = page.table('6. Limits', 'setting', 'default');
    expect(settings.length).toBeGreaterThan(5);
    for (const { setting = '', default: notice } of settings)
      expect([setting, notice]).toEqual([setting, String(defaults.get(setting))]);
    // A limit of the welcome is a setting too, by its name.
    for (const { name = '', default: notice } of page.table('6. Limits', 'name', 'default')) {
      expect([name, notice]).toEqual([name, String(defaults.get(`HUBBUB_${name.toUpperCase()}`))]);
    }
    const section = page.section('6. Limits');
    expect(LIMITS.filter(limit => !section.includes(`\`${limit}\``))).toEqual([]);
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
      .table('7.1 Reserved types', 'reserved type', 'made by')
      .map(row => [row['reserved type'], row['made by']]);
    expect(named.sort()).toEqual(Object.entries(protocol.RESERVED_FRAMES).sort());
    expect(page.section('7.1 Reserved types')).toContain(`\`${protocol.RESERVED_TYPE_PREFIX}\` are reserved`);
  });

  test('the Redis contract has the letters of an envelope’s header', () => {
    const full: Required<protocol.EnvelopeHeader> = {
      encoding: 'json',
      publishedAtMs: 1,
      version: protocol.WIRE_VERSION,
      excludeSession: 's',
      notifyExcluded: true,
      excludeUser: 'u',
      sessions: ['s'],
      questions: [1],
      room: 'r',
      probe: 1,
      control: { do: 'close_room' },
      conflationKey: 'k',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      offset: 1,
      epoch: 'e',
    };
    const envelope = Buffer.from(protocol.encodeEnvelope(full, new Uint8Array())).toString();
    const header = JSON.parse(envelope.slice(1, -1)) as object;
    expect(column('Envelopes', 'header', contract)).toEqual(Object.keys(header).sort());
  });

  test('the Redis contract has the fields of a message, and others are ignored', () => {
    const message = {
      type: 'move.made',
      payload: {},
      id: 'm1',
      sender: { id: 'u1', name: 'Ada' },
      timestamp: '2026-01-31T12:00:00.000Z',
      key: 'k',
      exclude_user: 'u2',
      exclude_session: 's1',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    };
    expect(column('Publishing', 'field', contract)).toEqual(Object.keys(message).sort());
    expect(parsePlainMessage({ ...message, another: 1 })).toEqual(message);
  });

  test('the Redis contract has every lifecycle event', () => {
    expect(column('Who comes and goes', 'event', contract)).toEqual([...protocol.LIFECYCLE_EVENTS].sort());
  });

  test('the Redis contract has controls that edges know', () => {
    const payloads = { user: 'u1', room: 'game:42' };
    const types = column('Controls', 'control', contract);
    expect(types.length).toBe(5);
    for (const type of types) expect(protocol.controlOfMessage({ type, payload: payloads }), type).toBeDefined();
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
