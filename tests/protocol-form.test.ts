/** PROTOCOL.md can be implemented from alone: each frame has its section and examples, and the prose keeps its form. */
import { readFileSync } from 'node:fs';
import * as protocol from '@hubbub/protocol';
import { parseClientFrame } from '@hubbub/protocol/client-frame';
import { describe, expect, test } from 'vitest';
import * as shapes from '../packages/client/src/frames.js';
import { readPosition, readResumeAnswer } from '../packages/client/src/resume-frames.js';
import {
  endsASentence,
  hasTwoSentences,
  headingsOf,
  proseLines,
  tableCells,
  wordsByParagraph,
  wordsOf,
} from './support/markdown-prose.js';
import { MarkdownPage } from './support/markdown-tables.js';
import { samplesIn } from './support/samples.js';

const page = readFileSync(new URL('../PROTOCOL.md', import.meta.url), 'utf8');
const prose = proseLines(page);

describe('the prose of PROTOCOL.md', () => {
  test('has one sentence on each line', () => {
    expect(prose.length).toBeGreaterThan(200);
    expect(prose.filter(hasTwoSentences)).toEqual([]);
    expect(prose.filter(line => !endsASentence(line))).toEqual([]);
  });

  test('has at most 80 words in a paragraph, and 25 in a sentence', () => {
    expect([...wordsByParagraph(prose)].filter(([, words]) => words > 80)).toEqual([]);
    expect(prose.filter(({ text }) => wordsOf(text) > 25)).toEqual([]);
  });

  test('has at most 120 characters in a cell of a table', () => {
    expect(tableCells(page).filter(cell => cell.length > 120)).toEqual([]);
  });

  test('begins with ten words and the contents of all sections', () => {
    expect(new MarkdownPage(page).table('Glossary', 'word', 'meaning')).toHaveLength(10);
    const listed = [...new MarkdownPage(page).section('Contents').matchAll(/^( *)- \[(.+)\]\(#(.+)\)$/gm)].map(
      ([, indent = '', text, anchor]) => ({ level: 2 + indent.length / 2, text, anchor }),
    );
    const [, , , ...sections] = headingsOf(page);
    expect(listed).toEqual(sections);
  });
});

interface FrameSection {
  readonly type: string;
  readonly direction: string;
  readonly text: string;
}

/** The sections of frames, which are called like them. */
const sections: FrameSection[] = page.split(/^(?=#{2,4} )/m).flatMap(section => {
  const [, type] = /^#### `([a-z_]+)`\n/.exec(section) ?? [];
  const [, direction = ''] = /^Direction: (.*)\.$/m.exec(section) ?? [];
  return type === undefined ? [] : [{ type, direction, text: section }];
});

const CLIENT = 'client → edge';
const EDGE = 'edge → client';
type Example = protocol.Frame & { readonly payload: protocol.Payload };

function jsonLinesIn(text: string): string[] {
  return samplesIn(text).flatMap(({ language, code }) => (language === 'json' ? code.trimEnd().split('\n') : []));
}

function examplesOf({ text }: FrameSection): Example[] {
  return jsonLinesIn(text).map(line => ({ payload: {}, ...(JSON.parse(line) as protocol.Frame) }));
}

/** The fields of a section's table: `payload.epoch`, `payload.offset` in one cell are two. */
function fieldsOf({ text }: FrameSection): Map<string, string> {
  const rows = new MarkdownPage(text).table(/^#+ (.*)$/m.exec(text)?.[1] ?? '', 'field', 'form', 'meaning');
  return new Map(
    rows.flatMap(({ field = '', form = '' }) =>
      field
        .replaceAll('`', '')
        .split(', ')
        .map(name => [name, form] as const),
    ),
  );
}

describe('frames of PROTOCOL.md', () => {
  const answeredBy = new Map(
    new MarkdownPage(page)
      .table('2.1 Client → edge', 'type', 'answered by')
      .map(row => [row.type, row['answered by']?.replace(/^`?([a-z_]+).*$/, '$1')]),
  );

  test('each type of the catalogue has a section for each direction', () => {
    const named = (wanted: string): string[] =>
      sections.flatMap(({ type, direction }) => (direction === wanted ? [type] : []));
    expect(named(CLIENT)).toEqual([...protocol.CLIENT_FRAME_TYPES].sort(inOrderOf(named(CLIENT))));
    expect(named(EDGE)).toEqual([...protocol.EDGE_FRAME_TYPES].sort(inOrderOf(named(EDGE))));
  });

  test.each(sections)('$type, $direction: has fields, examples and an answer', section => {
    const { type, direction, text } = section;
    const [, answer = '(none)'] = /^Answer: (.*)$/m.exec(text) ?? [];
    const answers: readonly string[] = direction === CLIENT ? protocol.EDGE_FRAME_TYPES : [];
    const words = [...(answer.split(';')[0]?.matchAll(/`([a-z_]+)`/g) ?? [])].map(([, word = '']) => word);
    if (direction === CLIENT)
      expect(
        words.some(word => answers.includes(word)),
        answer,
      ).toBe(true);
    else expect(answer).toMatch(/^none[.;]/);
    if (direction === CLIENT) expect(words[0]).toBe(answeredBy.get(type));

    const fields = fieldsOf(section);
    const examples = examplesOf(section);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(example.type).toBe(type);
      const isWhole = [...fields].filter(([, form]) => form.includes('required'));
      expect(
        isWhole.filter(([field]) => !hasField(example, field)),
        'required fields',
      ).toEqual([]);
      const documented = [...fields.keys()];
      if (type !== 'new_message' && type !== 'send_message' && type !== 'ack') {
        const unknown = Object.keys(example.payload).filter(name => !documented.includes(`payload.${name}`));
        expect(unknown, 'fields that the table lacks').toEqual([]);
      }
      expect(hasShape(direction, example), JSON.stringify(example)).toBe(true);
    }
  });

  test.each(sections)('$type, $direction: names codes of the catalogue', ({ direction, text }) => {
    const [, codes] = /^Errors: (.*)$/m.exec(text) ?? [];
    if (codes === undefined) return expect(direction).toBe(EDGE);
    const named = [...codes.matchAll(/`([A-Z_]{3,})`/g)].map(([, code = '']) => code);
    expect(named.filter(code => !protocol.isErrorCode(code))).toEqual([]);
  });

  test('every JSON block of the page parses', () => {
    const lines = jsonLinesIn(page);
    expect(lines.length).toBeGreaterThan(sections.length);
    for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow();
  });
});

function inOrderOf(order: readonly string[]): (a: string, b: string) => number {
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}

function hasField(frame: Example, path: string): boolean {
  const [first = '', second] = path.split('.');
  if (second !== undefined) return Object.hasOwn(frame.payload, second);
  return Object.hasOwn(frame, first);
}

/** Whether the code accepts the example as the frame of the section. */
function hasShape(direction: string, frame: Example): boolean {
  if (direction === CLIENT) {
    parseClientFrame(frame);
    const problem = protocol.payloadProblem(frame.payload, protocol.DEFAULT_LIMITS);
    return (
      problem === undefined && protocol.utf8Length(JSON.stringify(frame)) <= protocol.DEFAULT_LIMITS.max_frame_bytes
    );
  }
  const { type, payload, epoch, offset } = frame;
  if ((epoch === undefined) !== (offset === undefined)) return false;
  switch (type) {
    case 'welcome': {
      const { features, limits } = payload as { features?: unknown; limits?: unknown };
      expect(features).toEqual(protocol.FEATURES);
      expect(limits).toEqual(protocol.DEFAULT_LIMITS);
      return shapes.isWelcome(payload);
    }
    case 'user_joined':
    case 'user_left':
      return shapes.isMembershipChange(payload);
    case 'user_status':
      return shapes.isStatusChange(payload);
    case 'room_info':
    case 'online_users':
      return shapes.isRoomInfo(payload);
    case 'room_count':
      return shapes.isRoomCount(payload);
    case 'error':
      return protocol.isErrorCode(payload.code);
    case 'ack':
      return 'rooms' in payload
        ? readResumeAnswer(frame).size > 0
        : 'message_id' in payload || readPosition(payload) !== undefined;
    case 'room_gap':
      return payload.reason === 'no_history' || readPosition(payload) !== undefined;
    default:
      return protocol.isFrameType(type);
  }
}

describe('the reader of the prose', () => {
  const lineOf = (text: string) => ({ number: 1, text, paragraph: 1 });

  test('sees a second sentence, and none in code, numbers and links', () => {
    expect(hasTwoSentences(lineOf('It ends. It begins.'))).toBe(true);
    expect(hasTwoSentences(lineOf('See `a. B` and [x](y.md#a. b), version 1.2.'))).toBe(false);
    expect(endsASentence(lineOf('It goes on'))).toBe(false);
  });

  test('distinguishes paragraphs, list items and code', () => {
    const lines = proseLines('One\ntwo.\n\n- Three.\n- Four\n  five.\n\n```\nno. Prose\n```\n| a. B |\n');
    expect([...wordsByParagraph(lines)]).toEqual([
      [1, 2],
      [4, 1],
      [5, 2],
    ]);
  });
});
