/** The audience of a channel: a failure to transcode affects only that encoding. */
import { decodeEnvelope, encodeEnvelope, jsonCodec } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';
import { describe, expect, test } from 'vitest';
import type { Rights } from '../src/admission/rights.js';
import { RosterQuestions } from '../src/presence/roster-questions.js';
import { Audience } from '../src/rooms/audience.js';
import { createNodeChannel } from '../src/services/node-channel.js';
import { Session } from '../src/sessions/session.js';
import { Sessions } from '../src/sessions/sessions.js';

type Encoding = Session['encoding'];

function sessionOf(id: string, encoding: Encoding, sent: Uint8Array[] = []): Session {
  const socket = {
    send: (bytes: string | Uint8Array) => sent.push(Buffer.from(bytes)),
    subscribe: () => true,
    unsubscribe: () => true,
    publish: () => true,
    end: () => {},
    close: () => {},
    cork: (send: () => void) => send(),
    getBufferedAmount: () => 0,
  };
  const session = new Session(id, socket, { user: { id, name: id }, encoding, rights: {} as Rights });
  session.state = 'open';
  return session;
}

/** Bodies that cannot be transcoded to the other encoding. */
const ONE_SIDED = [
  ['json', Buffer.from('{"type":"a","payload":{"x":"\\ud800"}}')],
  ['msgpack', Buffer.concat([Buffer.from([0x81, 0xa4]), Buffer.from('type'), Buffer.from([0xd4, 0x05, 0x00])])],
] as const satisfies readonly (readonly [Encoding, Uint8Array])[];

describe('a body that cannot be transcoded', () => {
  test.each(ONE_SIDED)('%s still reaches the members of its own encoding in a room', (encoding, body) => {
    const audience = new Audience('room', 'general');
    audience.add(sessionOf('a', 'json'));
    audience.add(sessionOf('b', 'msgpack'));
    const published: string[] = [];
    const delivery = audience.deliver({ encoding, body, except: [] }, topic => published.push(topic));
    expect(published).toEqual([encoding === 'json' ? 'jroom' : 'mroom']);
    expect(delivery).toEqual({ delivered: 1, isMalformed: true });
  });

  test.each(ONE_SIDED)('%s still reaches the sessions of its own encoding on a node', (encoding, body) => {
    const sessions = new Sessions();
    const sent = { json: [] as Uint8Array[], msgpack: [] as Uint8Array[] };
    const order = encoding === 'json' ? (['msgpack', 'json'] as const) : (['json', 'msgpack'] as const);
    for (const wanted of order) sessions.add(sessionOf(wanted, wanted, sent[wanted]));
    let malformed = 0;
    const channel = createNodeChannel({
      channel: 'node',
      questions: new RosterQuestions({ onUnanswered() {} }),
      audiences: { judgeRoster: () => undefined },
      presence: { joined() {} },
      sessions,
      metrics: { malformedEnvelope: () => malformed++ } as never,
      onProbe: () => {},
      onControl: () => true,
      onMove: () => 0,
      onExplain() {},
    });
    const envelope = decodeEnvelope(encodeEnvelope({ encoding, publishedAtMs: 1, sessions: [...order] }, body));
    if (envelope !== undefined) channel(envelope);
    expect({ own: sent[encoding].length, malformed }).toEqual({ own: 1, malformed: 1 });
  });
});

test('a body that both encodings can carry reaches all members', () => {
  const audience = new Audience('room', 'general');
  audience.add(sessionOf('a', 'json'));
  audience.add(sessionOf('b', 'msgpack'));
  for (const [encoding, codec] of [
    ['json', jsonCodec],
    ['msgpack', msgpackCodec],
  ] as const) {
    const body = codec.encode({ type: 'a', payload: {} });
    expect(audience.deliver({ encoding, body, except: [] }, () => {})).toEqual({ delivered: 2, isMalformed: false });
  }
});
