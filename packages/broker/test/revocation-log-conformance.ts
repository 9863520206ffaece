/** The guarantees of every log of revocations. Run against memory and against a real Redis. */
import type { Revocation } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { RevocationFollower } from '../src/revocation-follower.js';
import type { RevocationLog } from '../src/revocation-log.js';

const inAnHour = () => Date.now() + 3_600_000;
const block = (user: string, untilMs = inAnHour()): Revocation => ({ kind: 'block', user, untilMs });
const tokens = (user: string, upToMs: number): Revocation => ({ kind: 'tokens', user, upToMs, untilMs: inAnHour() });

async function idsAfter(log: RevocationLog, version: number): Promise<string[]> {
  return (await log.read(version)).changes.map(({ id, revocation }) => (revocation === undefined ? `-${id}` : id));
}

/** `open` makes a new, empty log. */
export function revocationLogConformance(open: (max?: number) => Promise<RevocationLog>): void {
  test('a read returns what changed after a version, once and in order', async () => {
    const log = await open();
    expect(await log.read(0)).toMatchObject({ version: 0, changes: [] });
    const first = tokens('a', 5);
    await log.revoke(first);
    await log.revoke({ kind: 'token', user: 'a', jti: 'j-1', untilMs: inAnHour() });
    const { changes, version } = await log.read(0);
    expect(changes).toEqual([
      { id: 'tokens:a', revocation: first },
      { id: 'token:a\nj-1', revocation: expect.objectContaining({ jti: 'j-1' }) },
    ]);
    expect(await idsAfter(log, version)).toEqual([]);
    await log.revoke(tokens('a', 9));
    await log.revoke(block('b'));
    expect(await idsAfter(log, version)).toEqual(['tokens:a', 'block:b']);
    expect((await log.read(version)).changes[0]?.revocation).toMatchObject({ upToMs: 9 });
    expect(await idsAfter(log, 0)).toEqual(['token:a\nj-1', 'tokens:a', 'block:b']);
  });

  test('a withdrawal is a change, and reports whether there was a revocation', async () => {
    const log = await open();
    await log.revoke(block('a'));
    const { version } = await log.read(0);
    expect(await log.withdraw({ kind: 'block', user: 'a' })).toBe(true);
    expect(await idsAfter(log, version)).toEqual(['-block:a']);
    expect(await log.withdraw({ kind: 'block', user: 'a' })).toBe(false);
    expect(await log.withdraw({ kind: 'tokens', user: 'a' })).toBe(false);
  });

  test('a restoration adds only what is not known', async () => {
    const log = await open();
    await log.revoke(tokens('a', 9));
    await log.withdraw({ kind: 'block', user: 'b' });
    const { version } = await log.read(0);
    await log.restore([tokens('a', 1), block('b'), block('c')]);
    expect(await idsAfter(log, version)).toEqual(['block:c']);
  });

  test('a full log refuses new ones, and replaces known ones', async () => {
    const log = await open(2);
    await log.revoke(block('a'));
    await log.revoke(block('b'));
    await expect(log.revoke(block('c'))).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await log.revoke(block('a'));
    expect(await idsAfter(log, 0)).toEqual(['block:b', 'block:a']);
  });

  test('ended revocations make room', async () => {
    const log = await open(1);
    await log.revoke(block('a', Date.now() + 50));
    await eventually(async () => {
      await log.revoke(block('b'));
      return true;
    });
    expect(await idsAfter(log, 0)).toEqual(['block:b']);
  });

  test('a follower knows every change, of many pages too', async () => {
    const log = await open();
    const many = Array.from({ length: 1234 }, (_, index) => block(`user-${index}`));
    await Promise.all(many.map(revocation => log.revoke(revocation)));
    const revoked: string[] = [];
    const follower = new RevocationFollower({ log, onRevoked: ({ user }) => revoked.push(user) });
    cleanup(() => follower.close());
    expect(follower.ageMs).toBeUndefined();
    follower.start();
    await eventually(() => follower.known.size === many.length);
    expect(follower.ageMs).toBeDefined();
    await log.revoke(tokens('late', 5));
    await eventually(() => follower.known.has('tokens:late'));
    await log.withdraw({ kind: 'tokens', user: 'late' });
    await eventually(() => !follower.known.has('tokens:late'));
    expect(revoked).toEqual([...new Set(revoked)]);
    expect(revoked).toHaveLength(many.length + 1);
  });
}
