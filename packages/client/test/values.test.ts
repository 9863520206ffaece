/** Values that the client SDK sends or refuses, in both encodings alike. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CIRCULAR, REFUSED_VALUES } from '../../protocol/test/refused-values.js';
import { HubbubError, type Payload } from '../src/index.js';
import { msgpackCodec } from '../src/msgpack.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

describe.each(['json', 'msgpack'])('in %s', encoding => {
  const options = encoding === 'msgpack' ? { codec: msgpackCodec } : {};
  const room = () => edge.client(options).room('general');

  it.each(REFUSED_VALUES)('refuses %s, by its path', async (_, payload, problem) => {
    const error = await room()
      .send(payload as Payload)
      .catch(error => error);
    expect(error).toBeInstanceOf(HubbubError);
    expect(error).toMatchObject({ code: 'INVALID_PAYLOAD', message: expect.stringContaining(problem) });
  });

  it('refuses what contains itself, and what throws when it is read', async () => {
    const throwing = {
      get a() {
        throw new TypeError('not now');
      },
    };
    for (const payload of [CIRCULAR, throwing]) {
      await expect(room().send(payload)).rejects.toMatchObject({ name: 'HubbubError', code: 'INVALID_PAYLOAD' });
    }
  });
});

it('sends a Buffer and other bytes in the documented form, and dates as RFC 3339', async () => {
  const client = await edge.openClient();
  await client.room('general').send({ a: Buffer.from('abc'), b: [new Uint8Array([1])], c: new Date(0) });
  expect(edge.socket.sentOfType('send_message')[0]?.payload).toEqual({
    a: { $base64: 'YWJj' },
    b: [{ $base64: 'AQ==' }],
    c: '1970-01-01T00:00:00.000Z',
  });
});

it('refuses a status and an event with such values, too', async () => {
  const client = await edge.openClient();
  const map = new Map() as unknown as Payload;
  await expect(client.setStatus({ mood: map })).rejects.toMatchObject({ message: /payload\.status\.mood: a Map/ });
  await expect(client.sendEvent('move', { to: map })).rejects.toMatchObject({ message: /payload\.to: a Map/ });
});
