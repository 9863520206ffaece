/** Limits on the rooms in a `resume` frame, and the tolerant reading of an edge's answers. */
import { describe, expect, it } from 'vitest';
import { readPosition, readResumeAnswer, resumeGroups } from '../src/resume-frames.js';

const place = (room: string) => ({ room_id: room });
/** The bytes of a room in the frame: its JSON and a comma. */
const BYTES = JSON.stringify(place('a')).length + 1;

describe('rooms are named in groups', () => {
  it('of exactly max_rooms', () => {
    expect(resumeGroups(['a', 'b', 'c', 'd', 'e'], place, { max_rooms: 2 })).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('of exactly max_frame_bytes, beside 128 bytes for the rest of the frame', () => {
    const fits = 128 + 2 * BYTES;
    expect(resumeGroups(['a', 'b', 'c', 'd'], place, { max_frame_bytes: fits })).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(resumeGroups(['a', 'b'], place, { max_frame_bytes: fits - 1 })).toEqual([['a'], ['b']]);
  });

  it('of all rooms without a known limit, and of one that is larger than the limit', () => {
    expect(resumeGroups(['a', 'b', 'c'], place, {})).toEqual([['a', 'b', 'c']]);
    expect(resumeGroups(['a', 'b'], place, { max_frame_bytes: 100 })).toEqual([['a'], ['b']]);
  });
});

describe('a position', () => {
  it.each([
    ['no object', undefined],
    ['no epoch', { offset: 1 }],
    ['no offset', { epoch: 'e' }],
    ['an epoch that is not text', { epoch: 7, offset: 1 }],
    ['a negative offset', { epoch: 'e', offset: -1 }],
    ['half an offset', { epoch: 'e', offset: 1.5 }],
    ['an offset in text', { epoch: 'e', offset: '1' }],
  ])('with %s is rejected', (_, payload) => {
    expect(readPosition(payload)).toBeUndefined();
  });

  it('has no other malformed field', () => {
    const odd = { epoch: 'e', offset: 0, recovered: 'yes', reason: 7, replayed_from: -1 };
    expect(readPosition(odd)).toEqual({ epoch: 'e', offset: 0, recovered: false });
    const whole = { epoch: 'e', offset: 0, recovered: false, reason: 'too_old', replayed_from: 3 };
    expect(readPosition(whole)).toEqual({
      epoch: 'e',
      offset: 0,
      recovered: false,
      reason: 'too_old',
      replayedFrom: 3,
    });
  });
});

it('reads the answers around one that is not an object', () => {
  const rooms = [null, 'general', { room_id: 'a' }, { room_id: 'b', error: { code: 'FORBIDDEN', message: '' } }];
  const answers = readResumeAnswer({ type: 'ack', payload: { rooms } });
  expect([...answers.keys()]).toEqual(['a', 'b']);
  expect(answers.get('a')).toBeUndefined();
  expect(answers.get('b')).toMatchObject({ code: 'FORBIDDEN' });
});
