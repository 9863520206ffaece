/** The subprotocol header: the encoding that a client offers, the answer, and the token in it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseSubprotocol, offerSubprotocols } from '../src/subprotocol.js';

/** Examples of RFC 7519 section 6.1 (unsigned) and of an HS256 header. */
const UNSIGNED = 'eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ.';
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl';

describe('the edge', () => {
  test.for([
    ['nothing is offered', '', { encoding: 'json' }],
    ['JSON is offered', 'hubbub.v1.json', { encoding: 'json', selected: 'hubbub.v1.json' }],
    ['MessagePack is offered', 'hubbub.v1.msgpack', { encoding: 'msgpack', selected: 'hubbub.v1.msgpack' }],
    [
      'both are offered, the first wins',
      'hubbub.v1.msgpack, hubbub.v1.json',
      { encoding: 'msgpack', selected: 'hubbub.v1.msgpack' },
    ],
    [
      'one it does not know stands before',
      'hubbub.v9.cbor ,hubbub.v1.json',
      { encoding: 'json', selected: 'hubbub.v1.json' },
    ],
    ['only strangers are offered', 'mqtt, graphql-ws', { encoding: 'json' }],
    [
      'a prefixed token is offered too',
      `hubbub.v1.msgpack, bearer.${TOKEN}`,
      { encoding: 'msgpack', selected: 'hubbub.v1.msgpack', token: TOKEN },
    ],
    [
      'the token stands first',
      `${TOKEN}, hubbub.v1.json`,
      { encoding: 'json', selected: 'hubbub.v1.json', token: TOKEN },
    ],
    ['only a token is offered, it gets that back', TOKEN, { encoding: 'json', selected: TOKEN, token: TOKEN }],
    [
      'only a prefixed token is offered',
      `bearer.${TOKEN}`,
      { encoding: 'json', selected: `bearer.${TOKEN}`, token: TOKEN },
    ],
    [
      'the token is unsigned, that is for the verifier',
      UNSIGNED,
      { encoding: 'json', selected: UNSIGNED, token: UNSIGNED },
    ],
  ] as const)('when %s', ([, header, choice]) => {
    expect(chooseSubprotocol(header)).toEqual(choice);
  });

  test('never selects what was not offered, whatever the header', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), header => {
        const { selected } = chooseSubprotocol(header);
        if (selected !== undefined) expect(header.split(',').map(offer => offer.trim())).toContain(selected);
      }),
    );
  });
});

test('negotiates each offer of a client', () => {
  const part = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
  const token = fc.tuple(part, part, part).map(parts => parts.join('.'));
  fc.assert(
    fc.property(fc.constantFrom('json', 'msgpack'), fc.option(token, { nil: undefined }), (encoding, secret) => {
      const choice = chooseSubprotocol(offerSubprotocols(encoding, secret).join(', '));
      expect(choice).toEqual({
        encoding,
        selected: `hubbub.v1.${encoding}`,
        ...(secret !== undefined && { token: secret }),
      });
    }),
  );
});
